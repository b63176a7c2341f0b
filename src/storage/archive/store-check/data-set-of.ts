/** The data set of an instance, for what the check has to look into. */
import type { DataSet } from '../../../dicom/data-set.js';
import type { InstanceUids } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import { Catalog } from '../catalog.js';
import { InstanceFiles } from '../files.js';
import type { Partition } from '../keys.js';
import type { Stores } from './check-context.js';

/** Reads the row again, and the blob where it has its JSON; empty when one of them is gone. */
export async function dataSetOf(
  { tables, blobs }: Stores,
  partition: Partition,
  instance: InstanceUids,
): Promise<DataSet> {
  const row = await new Catalog(tables).instance(partition, instance);
  if (row === undefined) return {};
  try {
    return await new InstanceFiles(blobs).dataSet(partition, row);
  } catch (error) {
    // Reported as missing; what it said is lost.
    if (error instanceof ServiceError && error.code === 'storage-corrupt') return {};
    throw error;
  }
}
