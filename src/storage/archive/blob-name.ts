/** The names of blobs, spelled in this one module; `store-check/blob-path.ts` reads them. */
import { hash } from 'node:crypto';
import type { InstanceUids } from '../../dicom/uid.js';
import type { Partition } from './keys.js';
import type { Ulid } from './ulid.js';

export type BlobExtension = 'dcm' | 'metadata.json.gz' | 'index.json.gz';

/**
 * The blob of one version of an instance: `{hash3}/{partition}/{study}/{series}/{sop}/{version}`
 * plus an extension. The hash of the study spreads load and keeps a study under one prefix.
 */
export function blobName(
  partition: Partition,
  { study, series, instance }: InstanceUids,
  version: Ulid,
  extension: BlobExtension,
): string {
  const spread = hash('sha1', `${partition}|${study}`).slice(0, 3);
  return `${[spread, partition, study, series, instance, version].join('/')}.${extension}`;
}
