/** How a stored data set is shown as metadata by a profile. */
import type { DataSet } from '../../dicom/data-set.js';
import { stringifyDataSet, withBulkDataBase, withoutBulk } from '../../dicom/json.js';
import type { InstanceUids } from '../../dicom/uid.js';
import { resourcePath } from '../path-uids.js';
import type { RetrievePolicy } from './retrieve-policy.js';

/**
 * SpecificCharacterSet with its values. The raw text cannot occur inside a JSON string, whose quotes
 * are escaped.
 */
const characterSet = /"00080005":\{"vr":"CS","Value":\[(?:"(?:[^"\\]|\\.)*"|null|,)*\]\}/g;
const utf8 = '"00080005":{"vr":"CS","Value":["ISO_IR 192"]}';

/**
 * The DICOM JSON of one instance as a profile shows it (PS3.18 Annex F).
 *
 * @param stored - text as `stringifyDataSet` wrote it.
 */
export function presentMetadata(
  stored: string,
  uids: InstanceUids,
  baseUrl: string,
  policy: RetrievePolicy,
): string {
  const text =
    policy.bulkData === 'named'
      ? withBulkDataBase(stored, `${baseUrl}${resourcePath(uids)}/bulkdata/`)
      : stringifyDataSet(withoutBulk(JSON.parse(stored) as DataSet));
  return policy.characterSet === 'utf-8' ? text.replaceAll(characterSet, utf8) : text;
}
