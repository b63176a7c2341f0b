/** Puts the copy of a study into the study list, or puts it right there. */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { systemRuntime } from '../../runtime.js';
import { backOff } from '../../back-off.js';
import { BrowseIndex } from '../index/browse-index.js';
import { Catalog } from '../catalog.js';
import { browsePartitionKey, browseRowKey, type Partition } from '../keys.js';
import { encodeStudy } from '../records.js';
import type { Stores } from './check-context.js';

/**
 * Brings the copy to what the study row says. A copy that was missing stays unsure, for the study may
 * be on its way out: readers then ask the catalog.
 *
 * @returns `false` when the study is not there.
 */
export async function refreshBrowseRow(
  { tables }: Stores,
  partition: Partition,
  study: StudyInstanceUID,
): Promise<boolean> {
  const catalog = new Catalog(tables);
  const browse = new BrowseIndex(tables, systemRuntime);
  const partitionKey = browsePartitionKey(partition);
  for (let attempt = 0; ; attempt++) {
    const record = await catalog.study(partition, study);
    if (record === undefined) return false;
    const rowKey = browseRowKey(record.created, study);
    const copy = await tables.get('searchindex', partitionKey, rowKey);
    if (copy === undefined) {
      await browse.announce(partition, record);
      if ((await catalog.study(partition, study))?.created === record.created) return true;
      // Deleted in between; so is the copy, or nobody would remove it.
      await browse.remove(partition, record.created, study);
      return false;
    }
    // Doubt stays: it is of whoever may be deleting the study.
    const unsure = copy.properties['unsure'] === true;
    const properties = { ...encodeStudy(record), revision: record.revision, unsure };
    const outcome = await tables.transact('searchindex', partitionKey, [
      { kind: 'replace', rowKey, properties, etag: copy.etag },
    ]);
    if (outcome.committed) return true;
    await backOff(systemRuntime, attempt);
  }
}
