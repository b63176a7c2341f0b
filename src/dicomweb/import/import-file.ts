/**
 * Imports a file that was uploaded to the container `import`: the same judgement, blob and commit as
 * a store, then a report, then the file leaves the container. Deliveries may repeat and may die at
 * any point: the effect is that of one.
 */
import type { StoredFile } from '../../storage/archive/archive.js';
import { defaultPartition, parsePartition, type Partition } from '../../storage/archive/keys.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import { ps318 } from '../profile.js';
import type { Services } from '../services.js';
import {
  receiveInstance,
  withoutPreamble,
  type ReceiveContext,
  type Received,
} from '../store/receive-instance.js';
import { readUploadName } from '../uploads/upload-name.js';
import { writeReport, type ImportRefusal, type ImportReport } from './import-report.js';
import { sameBytes } from './same-bytes.js';

export interface ImportOptions {
  /** Whether files stay in the container when they have been imported or refused; direct uploads never do. */
  readonly keepFiles?: boolean;
  /** Ends the import before its instance is committed; what has been is told as ever. */
  readonly signal?: AbortSignal;
}

/** Where a file is and what it is, as long as nobody writes over it. */
interface Source {
  readonly name: string;
  readonly bytes: number;
  readonly etag: string;
}

type Finding = Omit<ImportReport, 'name' | 'bytes' | 'time'>;

/** Errors that end a request but, of a file on its own, are a property of the file. */
const refusals: Partial<Record<ErrorCode, ImportRefusal>> = {
  'payload-too-large': 'payload-too-large',
  'invalid-partition': 'invalid-partition',
};

/** The partition of a file: that of the direct upload, of `partitions/{name}/…` as in URLs, or the default. */
function partitionOf(name: string, enabled: boolean): Partition {
  const partition = readUploadName(name)?.partition ?? /^partitions\/([^/]*)\//.exec(name)?.[1];
  if (partition === undefined || partition === defaultPartition) return defaultPartition;
  if (enabled) return parsePartition(partition);
  throw new ServiceError('invalid-partition', 'Data partitions are not enabled on this service.');
}

function stored(received: Received, outcome: 'stored' | 'duplicate'): Finding {
  const { file, comments, warning } = received;
  const { uids, sopClass } = file;
  return { outcome, messages: comments, ...uids, sopClass, ...(warning && { warning }) };
}

/**
 * Imports one file of the container `import`.
 *
 * A file whose instance is in the archive with the same bytes is a `duplicate` and done with, which
 * is what a second delivery finds after a first that died behind its commit; one with other bytes is
 * refused with `already-exists`. Refused files are moved to the container `import-refused`.
 *
 * @param name - of the blob.
 * @returns the report, as written to `import-reports`; `undefined` when there is no such file, because
 *   it was imported before.
 * @throws ServiceError `storage-unavailable` and other faults, and the reason of the signal: deliver the
 *   file again.
 */
export async function importFile(
  services: Pick<
    Services,
    'archive' | 'limits' | 'partitions' | 'partitionRegistry' | 'headers' | 'heldHeaders'
  >,
  name: string,
  { keepFiles = false, signal = new AbortController().signal }: ImportOptions = {},
): Promise<ImportReport | undefined> {
  const { blobs } = services.archive;
  const content = await blobs.get('import', name);
  if (content === undefined) return undefined;
  const source: Source = { name, bytes: content.length, etag: content.etag };
  let finding: Finding | undefined;
  try {
    finding = await judgeAndStore(services, source, content.body, signal);
  } finally {
    content.cancel();
  }
  // The file has gone, or is another by now: whoever took it reports, or will be delivered.
  if (finding === undefined) return undefined;
  const report = { name, ...finding, bytes: source.bytes, time: new Date().toISOString() };
  await writeReport(blobs, report);
  const isKept = keepFiles && readUploadName(name) === undefined;
  if (!isKept) await removeSource(services, source, report.outcome);
  return report;
}

async function judgeAndStore(
  services: Pick<
    Services,
    'archive' | 'limits' | 'partitions' | 'partitionRegistry' | 'headers' | 'heldHeaders'
  >,
  source: Source,
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  const held = services.heldHeaders.open();
  try {
    const partition = partitionOf(source.name, services.partitions);
    const context: ReceiveContext = { services, partition, profile: ps318, signal, held };
    const received = await receiveInstance(context, body, undefined, () => undefined);
    if (received.kind === 'refused') {
      const { reason, comments, claimed } = received;
      return { outcome: 'refused', reason, messages: comments, ...claimed };
    }
    await services.partitionRegistry.ensure(partition);
    if (signal.aborted) services.archive.discardFiles(partition, [received.file]);
    signal.throwIfAborted();
    // From here on it ends by itself, soon.
    if ((await services.archive.store(partition, received.file)) === 'stored') {
      return stored(received, 'stored');
    }
    switch (await compareWithArchive(services, partition, received.file, source, signal)) {
      case 'same':
        return stored(received, 'duplicate');
      case 'different': {
        const messages = ['An instance with these UIDs and another content is stored already.'];
        const { uids, sopClass } = received.file;
        return { outcome: 'refused', reason: 'already-exists', messages, ...uids, sopClass };
      }
      case 'gone':
        return undefined;
    }
  } catch (error) {
    // What it broke off is no fault.
    signal.throwIfAborted();
    const reason = error instanceof ServiceError ? refusals[error.code] : undefined;
    if (reason === undefined || !(error instanceof Error)) throw error;
    return { outcome: 'refused', reason, messages: [error.message] };
  } finally {
    held.release();
  }
}

/** The same stream, until the signal ends it. */
async function* inTime(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of body) {
    signal.throwIfAborted();
    yield chunk;
  }
}

/**
 * Compares a file with the instance that the archive has under its UIDs, byte by byte: lengths and
 * UIDs are no proof, and hashes would have to be kept for every instance.
 *
 * @returns `gone` when the file is not in the container any more.
 * @throws ServiceError `storage-unavailable` when the instance was deleted a moment ago; the reason of the signal.
 */
async function compareWithArchive(
  { archive }: Pick<Services, 'archive'>,
  partition: Partition,
  { uids, length }: StoredFile,
  { name, etag }: Source,
  signal: AbortSignal,
): Promise<'same' | 'different' | 'gone'> {
  const row = await archive.catalog.instance(partition, uids);
  if (row !== undefined && row.record.length !== length) return 'different';
  const instance = row && (await archive.files.open(partition, row.record));
  if (instance === undefined) {
    throw new ServiceError('storage-unavailable', 'The instance was deleted during its import.');
  }
  try {
    const file = await archive.blobs.get('import', name);
    if (file?.etag !== etag) {
      file?.cancel();
      return 'gone';
    }
    const same = await sameBytes(withoutPreamble(inTime(file.body, signal)), instance.body);
    return same ? 'same' : 'different';
  } finally {
    instance.cancel();
  }
}

/** A file that was uploaded anew in the meantime stays: it has a delivery of its own. */
async function removeSource(
  { archive: { blobs } }: Pick<Services, 'archive'>,
  { name, etag }: Source,
  outcome: ImportReport['outcome'],
): Promise<void> {
  if (outcome === 'refused') {
    const content = await blobs.get('import', name);
    if (content?.etag !== etag) {
      content?.cancel();
      return;
    }
    await blobs.put('import-refused', name, content.body);
  }
  await blobs.deleteUnchanged('import', name, etag);
}
