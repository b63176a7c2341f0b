/** Opens bulk values of stored files, whole or in part, and turns them into parts of an answer. */
import {
  bitsBefore,
  everyFrame,
  sharesBytes,
  type ByteRun,
  type FrameIndex,
} from '../../../dicom/frames.js';
import { alignBits } from '../../../dicom/pixel/align-frame.js';
import type { EncodedFrame } from '../../../dicom/pixel/encode-frame.js';
import type { PixelLimits } from '../../../dicom/pixel/pixel-limits.js';
import { joinedBits } from '../../../dicom/write/joined-bits.js';
import { ServiceError } from '../../../errors.js';
import type { OutgoingPart } from '../../../multipart/writer.js';
import type { InstanceRecord } from '../../../storage/archive/records.js';
import { resourcePath } from '../../path-uids.js';
import { readAhead, resumed } from '../../read-ahead.js';
import type { RequestContext } from '../../route.js';
import { frameLength } from '../open-frame.js';
import { openRuns, type OpenedRuns } from '../open-runs.js';
import {
  frameBitsOf,
  framesAheadOf,
  requireFrameFits,
  transcodePayload,
} from '../transcode-frames.js';
import { sliceRuns, type BulkBytes } from './bulk-resource.js';
import { ByteCutter } from './byte-cutter.js';
import type { ChosenBulk } from './choose-bulk.js';

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
  const requested = { offset: start - from, length };
  return { ...opened, length, chunks: () => cut(swapped(opened.chunks(), wordBytes), requested) };
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
function stretchOf(frames: FrameIndex): ByteRun {
  if (frames.kind === 'native') return { offset: frames.offset, length: frames.length };
  const items = frames.fragments.reduce((sum, length) => sum + itemHeaderBytes + length, 0);
  return { offset: frames.offset, length: items };
}

/** A value whose bytes have begun to load. */
export interface OpenedBulk {
  readonly chosen: ChosenBulk;
  readonly opened: OpenedRuns;
  /** There when the bytes are those of frames. */
  readonly frames?: FrameIndex;
}

/**
 * Opens a value with one read of the file, however many frames it has.
 *
 * @throws ServiceError `instance-not-found` when the instance was deleted meanwhile.
 */
export async function openBulk(context: RequestContext, chosen: ChosenBulk): Promise<OpenedBulk> {
  const { record, resource, transcode } = chosen;
  const frames =
    transcode?.image.index.frames ?? (resource.kind === 'frames' ? resource.frames : undefined);
  if (frames !== undefined) {
    return { chosen, frames, opened: await openRuns(context, record, [stretchOf(frames)]) };
  }
  if (resource.kind === 'bytes') {
    return { chosen, opened: await openBytes(context, record, resource) };
  }
  const run = resource.kind === 'fragments' ? resource.run : stretchOf(resource.frames);
  const opened = await openRuns(context, record, [run]);
  return { chosen, opened: { ...opened, chunks: () => unwrapped(opened.chunks(), run) } };
}

/** The parts of a value: one for it, or one for each of its frames. Each is read before the next. */
export async function* partsOf(
  context: RequestContext,
  bulk: OpenedBulk,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const { chosen, opened, frames } = bulk;
  const { record, resource, contentType } = chosen;
  const part = (location: string): Pick<OutgoingPart, 'headers'> => ({
    headers: [
      ['Content-Type', contentType],
      ['Content-Location', `${context.baseUrl}${resourcePath(record)}/${location}`],
    ],
  });
  if (frames === undefined) {
    const length = resource.kind === 'bytes' ? { length: opened.length } : {};
    yield { ...part(`bulkdata/${resource.path}`), body: opened.chunks(), ...length };
    return;
  }
  const cutter = new ByteCutter(opened.chunks(), stretchOf(frames).offset);
  try {
    if (isJoined(chosen)) {
      const body = await joinedFrames(context, chosen, cutter, frames);
      yield { ...part(`bulkdata/${resource.path}`), body };
      return;
    }
    let frame = 0;
    for await (const { body, length } of framesOf(context, chosen, cutter, frames)) {
      frame++;
      yield { ...part(`frames/${frame}`), body, length };
    }
  } finally {
    await cutter.close();
  }
}

/** Whether frames are sent as the one value that they make up: uncompressed ones are (PS3.18 §8.7.3.3). */
function isJoined({ transcode, frameByFrame }: ChosenBulk): boolean {
  return transcode !== undefined && !transcode.to.encapsulated && !frameByFrame;
}

/** The body of a value that comes by itself, out of frames. */
export async function bodyOf(
  context: RequestContext,
  { chosen, opened, frames }: OpenedBulk,
): Promise<AsyncIterable<Uint8Array>> {
  if (frames === undefined) return opened.chunks();
  const cutter = new ByteCutter(opened.chunks(), stretchOf(frames).offset);
  return await joinedFrames(context, chosen, cutter, frames);
}

async function* framesOf(
  context: RequestContext,
  { transcode }: ChosenBulk,
  cutter: ByteCutter,
  frames: FrameIndex,
): AsyncGenerator<Required<Pick<OutgoingPart, 'body' | 'length'>>, void, undefined> {
  if (transcode !== undefined) {
    for await (const { bytes } of transcodedFrames(context, transcode, cutter, frames)) {
      yield { body: bytes, length: bytes.length };
    }
    return;
  }
  let frame = 0;
  for (const runs of everyFrame(frames)) {
    frame++;
    const bytes = takeAll(cutter, runs);
    yield {
      body: sharesBytes(frames)
        ? alignBits(bytes, bitsBefore(frames, frame), frames.frameBits)
        : bytes,
      length: frameLength(frames, frame),
    };
  }
}

async function* takeAll(cutter: ByteCutter, runs: readonly ByteRun[]): Chunks {
  for (const run of runs) yield* cutter.take(run);
}

/** Transcodes frames a few ahead of their turn; throws as `transcodePayload` does. */
async function* transcodedFrames(
  context: RequestContext,
  { image, to }: NonNullable<ChosenBulk['transcode']>,
  cutter: ByteCutter,
  frames: FrameIndex,
): AsyncGenerator<EncodedFrame, void, undefined> {
  yield* readAhead(
    payloads(cutter, frames, context.services.limits.pixels),
    framesAheadOf(image),
    async (payload) => await transcodePayload(context, image, to, 'stored-attributes', payload),
    () => undefined,
  );
}

/** Each frame in memory of its own, which may be given away. */
async function* payloads(
  cutter: ByteCutter,
  frames: FrameIndex,
  limits: PixelLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const runs of everyFrame(frames)) {
    const length = runs.reduce((sum, run) => sum + run.length, 0);
    requireFrameFits(length, limits);
    const payload = new Uint8Array(length);
    let filled = 0;
    for await (const chunk of takeAll(cutter, runs)) {
      payload.set(chunk, filled);
      filled += chunk.length;
    }
    yield payload;
  }
}

/** Frames one after the other. The first is made at once: what cannot be had shows with it. */
async function joinedFrames(
  context: RequestContext,
  { transcode }: ChosenBulk,
  cutter: ByteCutter,
  frames: FrameIndex,
): Promise<AsyncIterable<Uint8Array>> {
  if (transcode === undefined) {
    throw new ServiceError('storage-corrupt', 'Frames as they are stored come one by one.');
  }
  const made = transcodedFrames(context, transcode, cutter, frames);
  const first = await made.next();
  if (first.done === true) throw new ServiceError('pixel-data-corrupt', 'There are no frames.');
  const bytes = async function* (): Chunks {
    try {
      for await (const frame of resumed(first.value, made)) yield frame.bytes;
    } finally {
      await cutter.close();
    }
  };
  const bits = frameBitsOf(first.value);
  return bits % 8 === 0 ? bytes() : joinedBits(bytes(), bits);
}
