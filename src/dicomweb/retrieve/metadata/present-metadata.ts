/** How a stored data set is shown as metadata by a profile. */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet, Element } from '../../../dicom/data-set.js';
import { stringifyDataSet, withBulkDataBase, withoutBulk } from '../../../dicom/json.js';
import type { Tag } from '../../../dicom/tag.js';
import type { InstanceUids } from '../../../dicom/uid.js';
import { resourcePath } from '../../path-uids.js';
import type { StoredMetadata } from '../../../storage/archive/records.js';
import type { RetrievePolicy } from '../retrieve-policy.js';

/** What of a policy decides how metadata looks. */
type ShownAs = Pick<RetrievePolicy, 'bulkData' | 'values' | 'characterSet'>;

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

/** The attributes that are to be seen. */
function shownAmong(dataSet: DataSet, bulkData: RetrievePolicy['bulkData']): DataSet {
  if (bulkData === 'named') return dataSet;
  const document = bulkData === 'documents' ? dataSet[encapsulatedDocument] : undefined;
  const shown = withoutBulk(dataSet);
  return document ? { ...shown, [encapsulatedDocument]: document } : shown;
}

/** What is to be seen of a stored data set; it is parsed only where it is not shown as it is. */
function shownOf(
  { json, spelling }: StoredMetadata,
  attributes: 'all' | ReadonlySet<Tag>,
  { bulkData, values }: ShownAs,
): string {
  if (attributes === 'all' && bulkData === 'named' && values === 'as-model') return json;
  const dataSet = JSON.parse(json) as DataSet;
  const asked = attributes === 'all' ? dataSet : only(dataSet, attributes);
  const shown = shownAmong(asked, bulkData);
  return stringifyDataSet(shown, values === 'as-written' ? spelling() : {});
}

/**
 * The DICOM JSON of one instance as a profile shows it (PS3.18 Annex F).
 *
 * @param stored - its text as `stringifyDataSet` wrote it.
 * @param attributes - those of the data set, not of items within it, that are shown.
 */
export function presentMetadata(
  stored: StoredMetadata,
  uids: InstanceUids,
  baseUrl: string,
  policy: ShownAs,
  attributes: 'all' | ReadonlySet<Tag> = 'all',
): string {
  const shown = shownOf(stored, attributes, policy);
  const text = withBulkDataBase(shown, `${baseUrl}${resourcePath(uids)}/bulkdata/`);
  return policy.characterSet === 'utf-8' ? text.replaceAll(characterSet, utf8) : text;
}
