/**
 * The report on one imported file: a JSON blob, named after the file. It says what
 * became of the file and never what is in it: UIDs, and no patient data.
 */
import type { BlobStore } from '../../storage/blob-store.js';
import { writeJsonBlob } from '../json-blob.js';
import type { FailureReason, WarningReason } from '../store/reason-codes.js';

/** Why a file is refused: the reasons of a store, and those that would end a whole request. */
export type ImportRefusal = FailureReason | 'payload-too-large' | 'invalid-partition';

export interface ImportReport {
  /** Name of the file in the container `import`. */
  readonly name: string;
  /** `duplicate`: the archive held these very bytes already, from an earlier delivery perhaps. */
  readonly outcome: 'stored' | 'duplicate' | 'refused';
  /** Present when refused. */
  readonly reason?: ImportRefusal;
  /** For people: why it is refused, or which attributes were left out. */
  readonly messages: readonly string[];
  readonly study?: string;
  readonly series?: string;
  /** Of a file that is refused, as it stands there. */
  readonly instance?: string;
  readonly sopClass?: string;
  /** Present when stored with a warning. */
  readonly warning?: WarningReason;
  /** Length of the file. */
  readonly bytes: number;
  /** When it was imported, ISO 8601. */
  readonly time: string;
}

/** Name of the report on a file, in the container `import-reports`. */
export function reportName(name: string): string {
  return `${name}.json`;
}

/** Writes a report, over that of an earlier delivery of the same file. */
export async function writeReport(blobs: BlobStore, report: ImportReport): Promise<void> {
  await writeJsonBlob(blobs, 'import-reports', reportName(report.name), report);
}
