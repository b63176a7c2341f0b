/** Opens runs of bytes of a stored file, through inflation where the file is deflated. */
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import type { ByteRun } from '../../dicom/frames.js';
import { FileMetaReader } from '../../dicom/part10/file-meta.js';
import type { Part10Limits } from '../../dicom/part10/part10.js';
import { ServiceError } from '../../errors.js';
import type { InstanceRecord } from '../../storage/archive/records.js';
import type { RequestContext } from '../route.js';
import { listed, resumed } from '../read-ahead.js';
import { fileGone } from './reread.js';
import { storedSyntax } from './stored-syntax.js';

/** Bytes that are on their way; read `chunks()` once, or `cancel()`. */
export interface OpenedRuns {
  readonly length: number;
  chunks(): AsyncIterable<Uint8Array>;
  cancel(): void;
}

/**
 * Opens the runs, of which the first starts to load at once.
 *
 * @throws ServiceError `instance-not-found` when the instance was deleted meanwhile.
 */
export async function openRuns(
  { services, partition, signal }: RequestContext,
  record: InstanceRecord,
  runs: readonly ByteRun[],
): Promise<OpenedRuns> {
  const length = runs.reduce((sum, run) => sum + run.length, 0);
  const open = async (range?: ByteRun) => {
    const file = await services.archive.files.open(partition, record, range, signal);
    if (file === undefined) throw fileGone();
    return file;
  };
  if (storedSyntax(record).deflated) {
    const file = await open();
    return {
      length,
      chunks: () => runsWithin(inflated(file.body, services.limits.part10), runs),
      cancel: () => file.cancel(),
    };
  }
  // Fragments may be empty, and there is no range of no bytes.
  const [first, ...others] = spans(runs.filter((run) => run.length > 0));
  if (first === undefined) {
    return { length, chunks: () => listed<Uint8Array>(), cancel: () => undefined };
  }
  const opened = await open(first.span);
  const start = runsOf(opened.body, first);
  async function* joined(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* start;
    for (const other of others) yield* runsOf((await open(other.span)).body, other);
  }
  return {
    length,
    chunks: () => (others.length === 0 ? start : joined()),
    cancel: () => opened.cancel(),
  };
}

/** The runs of a span that was opened: as it comes where it is one run, as a native frame is. */
function runsOf(body: AsyncIterable<Uint8Array>, { span, runs }: Span): AsyncIterable<Uint8Array> {
  return runs.length === 1 ? body : runsWithin(body, runs, span.offset);
}

/**
 * Reads opened bytes into memory.
 *
 * @throws ServiceError `storage-corrupt` when there are fewer than the index says.
 */
export async function readAll(opened: OpenedRuns): Promise<Uint8Array> {
  const { length } = opened;
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of opened.chunks()) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled !== length) {
    throw new ServiceError('storage-corrupt', 'A stored file ends before its index says.');
  }
  return bytes;
}

/** Runs that are read together, with the bytes between them. */
interface Span {
  readonly span: ByteRun;
  readonly runs: readonly ByteRun[];
}

/** A gap up to this many bytes costs less than another request. */
const smallGap = 4096;

/** Merges runs that follow each other closely, such as the fragments of one frame. */
function spans(runs: readonly ByteRun[]): readonly Span[] {
  const merged: Span[] = [];
  let within: ByteRun[] = [];
  let end = 0;
  const close = () => {
    const [first] = within;
    if (first === undefined) return;
    merged.push({ span: { offset: first.offset, length: end - first.offset }, runs: within });
    within = [];
  };
  for (const run of runs) {
    if (run.offset < end || run.offset - end > smallGap) close();
    within.push(run);
    end = run.offset + run.length;
  }
  close();
  return merged;
}

/** Cuts ascending runs out of a stream that starts at `position` of the file. */
async function* runsWithin(
  source: AsyncIterable<Uint8Array>,
  runs: readonly ByteRun[],
  start = 0,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = start;
  let current = 0;
  for await (const chunk of source) {
    const end = position + chunk.length;
    for (let run = runs[current]; run !== undefined; run = runs[current]) {
      const from = Math.max(run.offset, position);
      const to = Math.min(run.offset + run.length, end);
      if (from < to) yield chunk.subarray(from - position, to - position);
      if (run.offset + run.length > end) break;
      current++;
    }
    position = end;
    if (current >= runs.length) return;
  }
}

/** The file as if its data set were inflated in place; offsets of runs count that way. */
async function* inflated(
  file: AsyncIterable<Uint8Array>,
  limits: Part10Limits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const meta = new FileMetaReader(limits);
  const chunks = file[Symbol.asyncIterator]();
  let rest: Buffer | undefined;
  while (rest === undefined) {
    const next = await chunks.next();
    if (next.done === true) return;
    const { buffer, byteOffset, byteLength } = next.value;
    rest = meta.push(Buffer.from(buffer, byteOffset, byteLength));
  }
  yield Buffer.alloc(meta.end);
  const deflated = Readable.from(resumed(rest, chunks));
  const stream = deflated.pipe(createInflateRaw());
  deflated.once('error', (error) => stream.destroy(error));
  try {
    yield* stream as AsyncIterable<Buffer>;
  } finally {
    await chunks.return?.();
  }
}
