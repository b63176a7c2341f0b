/** The tag that the path of a URL or the member of a body names. */
import { parseAttribute } from '../../dicom/dictionary.js';
import type { Tag } from '../../dicom/tag.js';
import { ServiceError } from '../../errors.js';
import type { ListedTag } from '../../storage/archive/query-tag-list.js';
import type { RequestContext } from '../route.js';

/**
 * Reads a keyword or eight hex digits.
 *
 * @throws ServiceError `invalid-query-tag`.
 */
export function readPath(path: string): Tag {
  if (path.includes('.')) {
    throw invalidTag(
      `Dicom element '${path}' failed validation for VR 'SQ': Sequential dicom tags are currently not supported.`,
    );
  }
  const tag = parseAttribute(path);
  if (tag !== undefined) return tag;
  throw invalidTag(
    `The extended query tag '${path}' is invalid as it cannot be parsed into a valid Dicom Tag.`,
  );
}

/** The error of a request that names a tag which is none, or may not be indexed. */
export function invalidTag(text: string): ServiceError {
  return new ServiceError('invalid-query-tag', text);
}

/** The tag of the URL. @throws ServiceError `invalid-query-tag`. */
export function tagInPath({ params }: Pick<RequestContext, 'params'>): Tag {
  return readPath(params['tag'] ?? '');
}

/** The entry of a tag. @throws ServiceError `query-tag-not-found`. */
export function entryOf(tags: readonly ListedTag[], tag: Tag): ListedTag {
  const entry = tags.find((one) => one.tag === tag);
  if (entry !== undefined) return entry;
  throw new ServiceError(
    'query-tag-not-found',
    `The specified extended query tag with tag path ${tag} cannot be found.`,
  );
}
