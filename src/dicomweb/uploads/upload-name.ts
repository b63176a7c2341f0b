/**
 * Names of direct uploads: the ids that clients know, and the blobs behind them. Ids are made here and
 * nowhere else; a name tells the partition, so that an upload is found within its partition only.
 */
import type { Partition } from '../../storage/archive/keys.js';
import { newUlid, timeOf, type Ulid } from '../../storage/archive/ulid.js';

/** What the names of all direct uploads and of what is known about them begin with. */
export const uploadsPrefix = 'direct-uploads/';

const ulid = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const blob = /^direct-uploads\/([^/]+)\/([^/.]+)/;

/** A new id; it tells when it was made. */
export function newUploadId(): Ulid {
  return newUlid();
}

/** The id that a client names; `undefined` when it is none. */
export function parseUploadId(text: string): Ulid | undefined {
  return ulid.test(text) ? (text as Ulid) : undefined;
}

/** The blob of the container `import` that an upload is written to. */
export function uploadBlobName(partition: Partition, id: Ulid): string {
  return `${uploadsPrefix}${partition}/${id}`;
}

/** The blob of `import-reports` that says what was granted, beside the report of the import. */
export function uploadRecordName(partition: Partition, id: Ulid): string {
  return `${uploadBlobName(partition, id)}.upload.json`;
}

/** The upload that a blob of either container belongs to; `undefined` when it belongs to none. */
export function readUploadName(
  name: string,
): { readonly partition: string; readonly made: Date } | undefined {
  const [, partition, text] = blob.exec(name) ?? [];
  const id = parseUploadId(text ?? '');
  if (partition === undefined || id === undefined) return undefined;
  return { partition, made: new Date(timeOf(id)) };
}
