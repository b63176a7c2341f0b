/** The data set of an instance, for what the check has to look into. */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { DataSet } from '../../../dicom/data-set.js';
import type { InstanceUids } from '../../../dicom/uid.js';
import { allBytes } from '../../body.js';
import { Catalog } from '../catalog.js';
import { blobName, type Partition } from '../keys.js';
import { metadataInRow, readMetadata } from '../records.js';
import type { Stores } from './check-context.js';

const inflate = promisify(gunzip);

/** Reads the row again, and the blob where it has its JSON; empty when one of them is gone. */
export async function dataSetOf(
  { tables, blobs }: Stores,
  partition: Partition,
  instance: InstanceUids,
): Promise<DataSet> {
  const row = await new Catalog(tables).instance(partition, instance);
  if (row === undefined) return {};
  let compressed = metadataInRow(row.entity);
  if (compressed === undefined) {
    const name = blobName(partition, instance, row.record.version, 'metadata.json.gz');
    const blob = await blobs.get('derived', name);
    // Reported as missing; what it said is lost.
    if (blob === undefined) return {};
    compressed = await allBytes(blob.body);
  }
  return JSON.parse(readMetadata((await inflate(compressed)).toString()).json) as DataSet;
}
