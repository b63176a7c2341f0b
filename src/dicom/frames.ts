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
  const { fragments, offsets } = placesOf(index);
  const first = fragments[frame - 1] ?? 0;
  let offset = offsets[frame - 1] ?? 0;
  return index.fragments.slice(first, fragments[frame]).map((length) => {
    const run = { offset: offset + itemHeaderBytes, length };
    offset += itemHeaderBytes + length;
    return run;
  });
}

type Encapsulated = FrameIndex & { kind: 'encapsulated' };
type Native = FrameIndex & { kind: 'native' };

/** Whether frames end within bytes, so that their neighbours have bits in them too. */
export function sharesBytes(index: FrameIndex): index is Native {
  return index.kind === 'native' && index.frames > 1 && index.frameBits % 8 !== 0;
}

/** Bits of the frame before it in the first byte of a frame that shares bytes; `frame` from 1 on. */
export function bitsBefore({ frameBits }: Native, frame: number): number {
  return (frameBits * (frame - 1)) % 8;
}

/** By frame from 0 on, and behind the last: its first fragment, and where the item of that lies. */
interface Places {
  readonly fragments: Float64Array;
  readonly offsets: Float64Array;
}

/** Made once for an index, or else a list of frames would walk over all fragments for each of them. */
const places = new WeakMap<Encapsulated, Places>();

function placesOf(index: Encapsulated): Places {
  const known = places.get(index);
  if (known !== undefined) return known;
  const { frames, perFrame } = index;
  const made = { fragments: new Float64Array(frames + 1), offsets: new Float64Array(frames + 1) };
  let offset = index.offset;
  let next = 0;
  for (let frame = 0; frame <= frames; frame++) {
    made.fragments[frame] = next;
    made.offsets[frame] = offset;
    const end = next + (typeof perFrame === 'number' ? perFrame : (perFrame[frame] ?? 0));
    // Fragments that are missing take no room.
    for (const last = Math.min(end, index.fragments.length); next < last; next++) {
      offset += itemHeaderBytes + (index.fragments[next] ?? 0);
    }
    next = end;
  }
  places.set(index, made);
  return made;
}

/** Where the bytes of each frame lie in the file, frame by frame. */
export function* everyFrame(index: FrameIndex): Generator<readonly ByteRun[], void, undefined> {
  for (let frame = 1; frame <= index.frames; frame++) yield frameRuns(index, frame);
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
