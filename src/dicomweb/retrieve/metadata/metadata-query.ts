/** The query of a request for metadata: which attributes, in which character set (PS3.18 §8.3.3). */
import { attribute } from '../../../dicom/attribute.js';
import type { Tag } from '../../../dicom/tag.js';
import { ServiceError } from '../../../errors.js';
import { printable, queryValues, type QueryParameter } from '../../../http/query-string.js';
import { readIncludes } from '../../search/parse-search.js';

export const metadataParameters = ['includefield', 'charset'] as const;

/** Attributes that metadata always has: they say which instance it is of, and how to read it. */
const always: readonly Tag[] = [
  attribute('SpecificCharacterSet'),
  attribute('SOPClassUID'),
  attribute('SOPInstanceUID'),
  attribute('StudyInstanceUID'),
  attribute('SeriesInstanceUID'),
];

/**
 * The attributes of the data set that are asked for with `includefield`; all without it.
 *
 * @throws ServiceError `invalid-query` for what is no attribute; `not-acceptable` for a `charset`
 *   that is not UTF-8.
 */
export function readMetadataQuery(parameters: readonly QueryParameter[]): 'all' | ReadonlySet<Tag> {
  const charsets = queryValues(parameters, 'charset')
    .flatMap((value) => value.split(','))
    .map((value) => value.split(';')[0]?.trim().toLowerCase() ?? '')
    .filter((name) => name !== '');
  const [first] = charsets;
  if (first !== undefined && !charsets.some((name) => /^(?:utf-?8|\*)$/.test(name))) {
    throw new ServiceError(
      'not-acceptable',
      `Metadata is sent in UTF-8 only, not in '${printable(first)}'.`,
      { parameter: 'charset', offered: ['utf-8'] },
    );
  }
  const included = readIncludes(parameters);
  return included === 'all' || included.length === 0 ? 'all' : new Set([...always, ...included]);
}
