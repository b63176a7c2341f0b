/** Opens bulk values of stored files, whole or in part, and turns them into parts of an answer. */
import { bitsBefore, everyFrame, sharesBytes, type ByteRun } from '../../../dicom/frames.js';
import { alignBits } from '../../../dicom/pixel/align-frame.js';
import { formatMediaType } from '../../../http/media-type.js';
import type { OutgoingPart } from '../../../multipart/writer.js';
import type { InstanceRecord } from '../../../storage/archive/records.js';
import { resourcePath } from '../../path-uids.js';
import type { RequestContext } from '../../route.js';
import { frameLength } from '../open-frame.js';
import { openRuns, type OpenedRuns } from '../open-runs.js';
import { sliceRuns, type BulkBytes, type BulkFrames, type BulkResource } from './bulk-resource.js';
import { ByteCutter } from './byte-cutter.js';

export const octetStream = 'application/octet-stream';

const itemHeaderBytes = 8;

type Chunks = AsyncGenerator<Uint8Array, void, undefined>;

/** Reverses the bytes of each word; what is left of one at the end stays as it is. */
async function* swapped(source: AsyncIterable<Uint8Array>, wordBytes: number): Chunks {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of source) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = bytes.length - (bytes.length % wordBytes);
    for (let at = 0; at < end; at += wordBytes) bytes.subarray(at, at + wordBytes).reverse();
    if (end > 0) yield bytes.subarray(0, end);
    rest = bytes.subarray(end);
  }
  if (rest.length > 0) yield rest;
}

/** The bytes of `run` out of those of a stream that starts at 0. */
async function* cut(source: AsyncIterable<Uint8Array>, run: ByteRun): Chunks {
  const cutter = new ByteCutter(source, 0);
  try {
    yield* cutter.take(run);
  } finally {
    await cutter.close();
  }
}

/**
 * Opens `length` bytes of a value from `start` on, in little-endian order.
 *
 * @throws ServiceError `instance-not-found` when the instance was deleted meanwhile.
 */
export async function openBytes(
  context: RequestContext,
  record: InstanceRecord,
  { runs, length: whole, wordBytes }: BulkBytes,
  start = 0,
  length = whole,
): Promise<OpenedRuns> {
  // Only whole words can be turned round.
  const from = start - (start % wordBytes);
  const to = Math.min(Math.ceil((start + length) / wordBytes) * wordBytes, whole);
  const opened = await openRuns(context, record, sliceRuns(runs, from, to - from));
  if (wordBytes === 1) return opened;
  const wanted = { offset: start - from, length };
  return { ...opened, length, chunks: () => cut(swapped(opened.chunks(), wordBytes), wanted) };
}

/** The values of all items but the first, which is the offset table (PS3.5 §A.4). */
async function* unwrapped(source: AsyncIterable<Uint8Array>, { length }: ByteRun): Chunks {
  const cutter = new ByteCutter(source, 0);
  try {
    for (let item = 0; cutter.position + itemHeaderBytes <= length; item++) {
      const header = await cutter.read({ offset: cutter.position, length: itemHeaderBytes });
      const value = { offset: cutter.position, length: header.readUInt32LE(4) };
      if (item === 0) await cutter.read(value);
      else yield* cutter.take(value);
    }
  } finally {
    await cutter.close();
  }
}

/** The bytes from the first of a frame to the last, which lie in one stretch. */
function stretchOf({ frames }: BulkFrames): ByteRun {
  if (frames.kind === 'native') return { offset: frames.offset, length: frames.length };
  const items = frames.fragments.reduce((sum, length) => sum + itemHeaderBytes + length, 0);
  return { offset: frames.offset, length: items };
}

/** A resource whose bytes have begun to load. */
export interface OpenedResource {
  readonly record: InstanceRecord;
  readonly resource: BulkResource;
  readonly opened: OpenedRuns;
}

/**
 * Opens a resource with one read of the file, however many frames it has.
 *
 * @throws ServiceError `instance-not-found` when the instance was deleted meanwhile.
 */
export async function openResource(
  context: RequestContext,
  record: InstanceRecord,
  resource: BulkResource,
): Promise<OpenedResource> {
  if (resource.kind === 'bytes') {
    return { record, resource, opened: await openBytes(context, record, resource) };
  }
  const run = resource.kind === 'frames' ? stretchOf(resource) : resource.run;
  const opened = await openRuns(context, record, [run]);
  if (resource.kind === 'frames') return { record, resource, opened };
  return {
    record,
    resource,
    opened: { ...opened, chunks: () => unwrapped(opened.chunks(), run) },
  };
}

/** The media type of a value in parts: where it is compressed, with its transfer syntax. */
export function partType(
  mediaType: string,
  { transferSyntax }: InstanceRecord,
  resource: BulkResource,
): string {
  const isFrame = resource.kind !== 'bytes' || resource.compressed;
  return formatMediaType(mediaType, isFrame ? { 'transfer-syntax': transferSyntax } : {});
}

/** The parts of a resource: one for a value, one for each frame. Each is read before the next. */
export async function* partsOf(
  baseUrl: string,
  { record, resource, opened }: OpenedResource,
  mediaType: string,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const contentType = partType(mediaType, record, resource);
  const part = (location: string): Pick<OutgoingPart, 'headers'> => ({
    headers: [
      ['Content-Type', contentType],
      ['Content-Location', `${baseUrl}${resourcePath(record)}/${location}`],
    ],
  });
  if (resource.kind !== 'frames') {
    const length = resource.kind === 'bytes' ? { length: opened.length } : {};
    yield { ...part(`bulkdata/${resource.path}`), body: opened.chunks(), ...length };
    return;
  }
  const { frames } = resource;
  const cutter = new ByteCutter(opened.chunks(), stretchOf(resource).offset);
  try {
    let frame = 0;
    for (const runs of everyFrame(frames)) {
      frame++;
      const bytes = takeAll(cutter, runs);
      yield {
        ...part(`frames/${frame}`),
        body: sharesBytes(frames)
          ? alignBits(bytes, bitsBefore(frames, frame), frames.frameBits)
          : bytes,
        length: frameLength(frames, frame),
      };
    }
  } finally {
    await cutter.close();
  }
}

async function* takeAll(cutter: ByteCutter, runs: readonly ByteRun[]): Chunks {
  for (const run of runs) yield* cutter.take(run);
}
