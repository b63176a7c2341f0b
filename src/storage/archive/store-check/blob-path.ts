/** Names of blobs, read back into what they name. */
import type { SeriesInstanceUID, SOPInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import type { ContainerName } from '../../blob-store.js';
import { containerOf, type VersionUids } from '../files.js';
import type { Partition } from '../keys.js';
import { blobName, type BlobExtension } from '../blob-name.js';
import type { Ulid } from '../ulid.js';

/** The containers whose blobs rows name. */
export const namedContainers = ['instances', 'derived'] as const satisfies readonly ContainerName[];

export interface BlobPath extends VersionUids {
  readonly partition: Partition;
}

const version = /^([0-9A-HJKMNP-TV-Z]{26})\.(.+)$/;

/** What a blob is of; `undefined` when the service names none like that in that container. */
export function parseBlobName(container: ContainerName, name: string): BlobPath | undefined {
  const [, partition = '', study = '', series = '', instance = '', file = ''] = name.split('/');
  const [, ulid = '', extension = ''] = version.exec(file) ?? [];
  if (!Object.hasOwn(containerOf, extension)) return undefined;
  const kind = extension as BlobExtension;
  const path: BlobPath = {
    partition: partition as Partition,
    study: study as StudyInstanceUID,
    series: series as SeriesInstanceUID,
    instance: instance as SOPInstanceUID,
    version: ulid as Ulid,
  };
  const isOurs = blobName(path.partition, path, path.version, kind) === name;
  return isOurs && containerOf[kind] === container ? path : undefined;
}

/** What the names of all blobs of a study begin with. */
export function studyPrefix(partition: Partition, study: StudyInstanceUID): string {
  const uids = { study, series: '' as SeriesInstanceUID, instance: '' as SOPInstanceUID };
  const name = blobName(partition, uids, '' as Ulid, 'dcm');
  return name.slice(0, name.length - '//.dcm'.length);
}
