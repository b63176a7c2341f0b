/** The instance that speaks for its series or study where their rows are silent. */
import type { DataSet } from '../../../dicom/data-set.js';
import type { InstanceUids } from '../../../dicom/uid.js';
import { flatten } from '../../read-ahead.js';
import type { SearchContext } from './walk.js';

/**
 * The data set of the instance stored last; when that one has been deleted, of the one with the first
 * UID in its series, or in its study when the series is gone too; empty when nothing is left.
 *
 * @param newest - of the row of the series or study.
 * @param isOfStudy - whether another series may speak.
 */
export async function newestDataSet(
  { services, partition }: Pick<SearchContext, 'services' | 'partition'>,
  newest: InstanceUids,
  isOfStudy = false,
): Promise<DataSet> {
  const { archive } = services;
  const { study, series } = newest;
  let row = await archive.catalog.instance(partition, newest);
  for (const one of isOfStudy ? [series, undefined] : [series]) {
    if (row !== undefined) break;
    const rows = flatten(
      archive.instancesWithMetadata(partition, study, one, { firstPageRows: 1 }),
    );
    const first = await rows.next();
    await rows.return();
    if (first.done !== true) row = first.value;
  }
  if (row === undefined) return {};
  return JSON.parse(await archive.files.metadataText(partition, row)) as DataSet;
}
