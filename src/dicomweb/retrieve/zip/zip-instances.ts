/** DICOM files of a study, series or instance as one ZIP archive (PS3.18 §8.7.3, Supplement 211). */
import type { InstanceUids } from '../../../dicom/uid.js';
import type { Offer } from '../../../http/accept.js';
import type { InstanceRecord } from '../../../storage/archive/records.js';
import { timeOf } from '../../../storage/archive/ulid.js';
import { FileIds } from './file-ids.js';
import { writeZip, type ZipEntry } from './write-zip.js';
import { reply, type Reply } from '../../../http/reply.js';

const zip = 'application/zip';

/** A file that is on its way. */
export interface ZippedFile {
  readonly record: InstanceRecord;
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes of the file, where known. */
  readonly length?: number;
}

/** What a resource that has files offers besides them: an archive of them. */
export function zipOffer(transferSyntaxes: readonly string[]): Offer {
  return { mediaType: zip, form: 'single', transferSyntaxes };
}

/** Whether an archive was chosen. */
export function isZip({ mediaType }: Offer): boolean {
  return mediaType === zip;
}

async function* entriesOf(
  files: AsyncIterable<ZippedFile>,
): AsyncGenerator<ZipEntry, void, undefined> {
  const names = new FileIds();
  for await (const { record, body, length } of files) {
    const entry = { name: names.next(record), modified: new Date(timeOf(record.version)), body };
    yield length === undefined ? entry : { ...entry, length };
  }
}

/**
 * The answer that is an archive of files, in the order in which they come, which is that of their
 * series. It is named after the resource.
 */
export function zipResponse(
  files: AsyncIterable<ZippedFile>,
  { study, series, instance }: Pick<InstanceUids, 'study'> & Partial<InstanceUids>,
): Reply {
  const name = `${instance ?? series ?? study}.zip`;
  return reply(writeZip(entriesOf(files)), {
    headers: {
      'Content-Type': zip,
      'Content-Disposition': `attachment; filename="${name}"`,
      'Cache-Control': 'private, no-cache',
    },
  });
}
