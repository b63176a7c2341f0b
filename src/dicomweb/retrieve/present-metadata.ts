/** How a stored data set is shown as metadata by a profile. */
import { attribute } from '../../dicom/attribute.js';
import type { DataSet, Element } from '../../dicom/data-set.js';
import { stringifyDataSet, withBulkDataBase, withoutBulk } from '../../dicom/json.js';
import type { Tag } from '../../dicom/tag.js';
import type { InstanceUids } from '../../dicom/uid.js';
import { resourcePath } from '../path-uids.js';
import type { RetrievePolicy } from './retrieve-policy.js';

/**
 * SpecificCharacterSet with its values. The raw text cannot occur inside a JSON string, whose quotes
 * are escaped.
 */
const characterSet = /"00080005":\{"vr":"CS","Value":\[(?:"(?:[^"\\]|\\.)*"|null|,)*\]\}/g;
const utf8 = '"00080005":{"vr":"CS","Value":["ISO_IR 192"]}';

const encapsulatedDocument = attribute('EncapsulatedDocument');

function only(dataSet: DataSet, tags: ReadonlySet<Tag>): DataSet {
  const kept: Record<Tag, Element> = {};
  for (const [tag, element] of Object.entries(dataSet) as [Tag, Element][]) {
    if (tags.has(tag)) kept[tag] = element;
  }
  return kept;
}

/** What is to be seen of a stored data set; it is parsed only where parts of it are left out. */
function shownOf(
  stored: string,
  attributes: 'all' | ReadonlySet<Tag>,
  { bulkData }: RetrievePolicy,
): string {
  if (attributes === 'all' && bulkData === 'named') return stored;
  const dataSet = JSON.parse(stored) as DataSet;
  const asked = attributes === 'all' ? dataSet : only(dataSet, attributes);
  if (bulkData === 'named') return stringifyDataSet(asked);
  const document = bulkData === 'documents' ? asked[encapsulatedDocument] : undefined;
  const shown = withoutBulk(asked);
  return stringifyDataSet(document ? { ...shown, [encapsulatedDocument]: document } : shown);
}

/**
 * The DICOM JSON of one instance as a profile shows it (PS3.18 Annex F).
 *
 * @param stored - text as `stringifyDataSet` wrote it.
 * @param attributes - those of the data set, not of items within it, that are shown.
 */
export function presentMetadata(
  stored: string,
  uids: InstanceUids,
  baseUrl: string,
  policy: RetrievePolicy,
  attributes: 'all' | ReadonlySet<Tag> = 'all',
): string {
  const shown = shownOf(stored, attributes, policy);
  const text = withBulkDataBase(shown, `${baseUrl}${resourcePath(uids)}/bulkdata/`);
  return policy.characterSet === 'utf-8' ? text.replaceAll(characterSet, utf8) : text;
}
