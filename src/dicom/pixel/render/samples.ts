/**
 * The samples of a native frame as numbers: what PS3.5 §8.1.1 packs into bytes is unpacked, bits
 * beside the stored ones (old overlays) are masked away, and signs are extended.
 */
import type { Frame } from '../image-pixels.js';
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';
import type { Presentation } from './presentation.js';

export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

type IntegerSamples = Exclude<Samples, Float32Array | Float64Array>;

interface Views {
  readonly unsigned: (buffer: ArrayBuffer, offset: number, length: number) => IntegerSamples;
  readonly signed: (buffer: ArrayBuffer, offset: number, length: number) => IntegerSamples;
}

const integerViews: Readonly<Record<number, Views>> = {
  8: {
    unsigned: (...where) => new Uint8Array(...where),
    signed: (...where) => new Int8Array(...where),
  },
  16: {
    unsigned: (...where) => new Uint16Array(...where),
    signed: (...where) => new Int16Array(...where),
  },
  32: {
    unsigned: (...where) => new Uint32Array(...where),
    signed: (...where) => new Int32Array(...where),
  },
};

/** The bytes at an offset that a view of wide samples can start at. */
function aligned(bytes: Uint8Array, sampleBytes: number): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer && bytes.byteOffset % sampleBytes === 0
    ? (bytes as Uint8Array<ArrayBuffer>)
    : new Uint8Array(bytes);
}

function unpackBits(bytes: Uint8Array, count: number): Uint8Array {
  const samples = new Uint8Array(count);
  for (let at = 0; at < count; at++) samples[at] = ((bytes[at >> 3] ?? 0) >> (at & 7)) & 1;
  return samples;
}

/** Keeps the stored bits of each sample; the array's element type says whether a sign is extended. */
function keepStored(samples: IntegerSamples, left: number, right: number, signed: boolean) {
  const kept = samples.slice();
  if (signed)
    for (let at = 0; at < kept.length; at++) kept[at] = ((kept[at] ?? 0) << left) >> right;
  else for (let at = 0; at < kept.length; at++) kept[at] = ((kept[at] ?? 0) << left) >>> right;
  return kept;
}

/**
 * The first `count` samples of a frame, in the order in which they are stored. May share memory
 * with the frame.
 *
 * @throws ServiceError `pixel-data-corrupt` for a frame that is too short, `pixel-data-unsupported`
 *   for bit depths that no image of the standard has.
 */
export function samplesOf(
  { pixels, bytes }: Frame,
  kind: Presentation['samples'],
  count: number,
): Samples {
  const { bitsAllocated, bitsStored, highBit, pixelRepresentation } = pixels;
  if (bytes.length * 8 < count * bitsAllocated) {
    throw corruptPixels('The frame holds fewer samples than it should.');
  }
  if (kind === 'float' && bitsAllocated === 32) {
    const { buffer, byteOffset } = aligned(bytes, 4);
    return new Float32Array(buffer, byteOffset, count);
  }
  if (kind === 'double' && bitsAllocated === 64) {
    const { buffer, byteOffset } = aligned(bytes, 8);
    return new Float64Array(buffer, byteOffset, count);
  }
  if (kind === 'integer' && bitsAllocated === 1) return unpackBits(bytes, count);
  const views = kind === 'integer' ? integerViews[bitsAllocated] : undefined;
  if (views === undefined) {
    throw unsupportedPixels(`Pixels of ${bitsAllocated} bits (${kind}) cannot be rendered.`);
  }
  const { buffer, byteOffset } = aligned(bytes, bitsAllocated / 8);
  const signed = pixelRepresentation === 1;
  const samples = (signed ? views.signed : views.unsigned)(buffer, byteOffset, count);
  if (bitsStored === bitsAllocated) return samples;
  return keepStored(samples, 31 - highBit, 32 - bitsStored, signed);
}
