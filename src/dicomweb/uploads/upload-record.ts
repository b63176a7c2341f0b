/** What is known of a direct upload: what was granted, and what has come of it. No patient data. */
import type { Partition } from '../../storage/archive/keys.js';
import type { Ulid } from '../../storage/archive/ulid.js';
import { readJsonBlob, writeJsonBlob } from '../json-blob.js';
import { reportName, type ImportReport } from '../import/import-report.js';
import type { Services } from '../services.js';
import { uploadBlobName, uploadRecordName } from './upload-name.js';

/** An upload that was granted. */
export interface UploadRecord {
  readonly id: string;
  /** When the grant ends, ISO 8601. */
  readonly expires: string;
}

export type UploadState =
  /** Nothing is committed yet, and may still be. */
  | { readonly status: 'waiting' }
  /** The blob is whole and will be imported. */
  | { readonly status: 'importing' }
  | { readonly status: 'stored' | 'refused'; readonly report: ImportReport }
  /** Nothing was committed in time. */
  | { readonly status: 'expired' };

type Blobs = Services['archive']['blobs'];

/** Notes a grant. */
export async function writeUploadRecord(
  blobs: Blobs,
  partition: Partition,
  record: UploadRecord & { readonly id: Ulid },
): Promise<void> {
  await writeJsonBlob(blobs, 'import-reports', uploadRecordName(partition, record.id), record);
}

/** What was granted under an id in a partition; `undefined` when nothing was, or long ago. */
export async function readUploadRecord(
  blobs: Blobs,
  partition: Partition,
  id: Ulid,
): Promise<UploadRecord | undefined> {
  const name = uploadRecordName(partition, id);
  return await readJsonBlob<UploadRecord>(blobs, 'import-reports', name);
}

/** The report of the import of an upload; `undefined` before its end. */
export async function readUploadReport(
  blobs: Blobs,
  partition: Partition,
  id: Ulid,
): Promise<ImportReport | undefined> {
  const name = reportName(uploadBlobName(partition, id));
  return await readJsonBlob<ImportReport>(blobs, 'import-reports', name);
}

async function isWhole(blobs: Blobs, name: string): Promise<boolean> {
  const page = await blobs.list('import', { prefix: name, limit: 1 });
  return page.blobs.some((blob) => blob.name === name);
}

/** What has come of an upload that was granted: up to three calls. */
export async function readUploadState(
  blobs: Blobs,
  partition: Partition,
  id: Ulid,
  { expires }: UploadRecord,
): Promise<UploadState> {
  // The report is written before the blob goes: asked for in this order, neither is missed.
  const whole = await isWhole(blobs, uploadBlobName(partition, id));
  const report = await readUploadReport(blobs, partition, id);
  if (report !== undefined) {
    return { status: report.outcome === 'refused' ? 'refused' : 'stored', report };
  }
  if (whole) return { status: 'importing' };
  return { status: Date.now() < Date.parse(expires) ? 'waiting' : 'expired' };
}
