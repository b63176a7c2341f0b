/**
 * The frame index: where each frame of an instance lies in its file, so that a frame is one ranged
 * read. Made while the file streams in, kept in the instance row, read by retrieve.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ServiceError } from '../errors.js';

export type FrameIndex =
  /** Uncompressed pixel data: frames follow each other. */
  | {
      readonly kind: 'native';
      /** Where the pixel data value starts, bytes from the start of the (inflated) file. */
      readonly offset: number;
      /** Length of the pixel data value in bytes. */
      readonly length: number;
      readonly frames: number;
      /** Bits of one frame: Rows × Columns × SamplesPerPixel × BitsAllocated (422: two of three samples). */
      readonly frameBits: number;
    }
  /** Encapsulated pixel data (PS3.5 §A.4): fragments, grouped into frames. */
  | {
      readonly kind: 'encapsulated';
      /** Where the item header of the first fragment after the offset table starts, in the file. */
      readonly offset: number;
      /** Length of each fragment value; each is preceded by an 8-byte item header. */
      readonly fragments: readonly number[];
      /** Fragments per frame: one number for all frames, or one per frame. */
      readonly perFrame: number | readonly number[];
      /** Frames that can be told apart: less than NumberOfFrames where data or offsets are missing. */
      readonly frames: number;
    };

/** A run of bytes in the file. */
export interface ByteRun {
  readonly offset: number;
  readonly length: number;
}

/** Length of the item header before each fragment (PS3.5 §A.4). */
const itemHeaderBytes = 8;
/** More than a million fragments take; an end to what a corrupt row can inflate to. */
const longestEncodedBytes = 64 * 1024 ** 2;

/**
 * Where a frame lies in the (inflated) file. The payload of an encapsulated frame is its runs one
 * after the other. A native frame is one run; where frames of 1-bit pixels share bytes, the run has
 * every byte in which the frame has a bit, and the frame starts at bit
 * `frameBits × (frame − 1) mod 8` of it, counted from the least significant (PS3.5 §8.1.1).
 *
 * @param frame counted from 1.
 * @throws RangeError when there is no such frame.
 */
export function frameRuns(index: FrameIndex, frame: number): readonly ByteRun[] {
  if (!Number.isInteger(frame) || frame < 1 || frame > index.frames) {
    throw new RangeError(`There is no frame ${frame} among ${index.frames}.`);
  }
  if (index.kind === 'native') {
    const start = Math.floor((index.frameBits * (frame - 1)) / 8);
    const end = Math.min(Math.ceil((index.frameBits * frame) / 8), index.length);
    return [{ offset: index.offset + start, length: end - start }];
  }
  const { perFrame } = index;
  const [skipped, count] =
    typeof perFrame === 'number'
      ? [perFrame * (frame - 1), perFrame]
      : [sum(perFrame.slice(0, frame - 1)), perFrame[frame - 1] ?? 0];
  let offset = index.offset + sum(index.fragments.slice(0, skipped)) + skipped * itemHeaderBytes;
  return index.fragments.slice(skipped, skipped + count).map((length) => {
    const run = { offset: offset + itemHeaderBytes, length };
    offset += itemHeaderBytes + length;
    return run;
  });
}

/** The runs of every frame in order, at the cost of one walk over the index. */
export function* everyFrame(index: FrameIndex): Generator<readonly ByteRun[], void, undefined> {
  if (index.kind === 'native') {
    for (let frame = 1; frame <= index.frames; frame++) yield frameRuns(index, frame);
    return;
  }
  const { perFrame, fragments } = index;
  let offset = index.offset;
  let next = 0;
  for (let frame = 0; frame < index.frames; frame++) {
    const count = typeof perFrame === 'number' ? perFrame : (perFrame[frame] ?? 0);
    const runs: ByteRun[] = [];
    for (const length of fragments.slice(next, next + count)) {
      runs.push({ offset: offset + itemHeaderBytes, length });
      offset += itemHeaderBytes + length;
    }
    next += count;
    yield runs;
  }
}

/**
 * Spells an index for storage: deflated JSON. 100 000 frames of scattered lengths take less than
 * 300 KiB.
 */
export function encodeFrameIndex(index: FrameIndex): Uint8Array {
  return deflateRawSync(JSON.stringify(index));
}

/**
 * Reads what `encodeFrameIndex` has spelt.
 *
 * @throws ServiceError `storage-corrupt` when the bytes are no index.
 */
export function decodeFrameIndex(bytes: Uint8Array): FrameIndex {
  try {
    const json = inflateRawSync(bytes, { maxOutputLength: longestEncodedBytes }).toString('utf8');
    const index: unknown = JSON.parse(json);
    if (isFrameIndex(index)) return index;
  } catch (cause) {
    throw new ServiceError('storage-corrupt', 'A stored frame index cannot be read.', {}, cause);
  }
  throw new ServiceError('storage-corrupt', 'A stored frame index has an unknown form.');
}

function isFrameIndex(value: unknown): value is FrameIndex {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, offset, length, frames, frameBits, fragments, perFrame } = value as Record<
    string,
    unknown
  >;
  if (!isCount(offset) || !isCount(frames)) return false;
  if (kind === 'native') return isCount(length) && isCount(frameBits);
  return (
    kind === 'encapsulated' && isCounts(fragments) && (isCount(perFrame) || isCounts(perFrame))
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
