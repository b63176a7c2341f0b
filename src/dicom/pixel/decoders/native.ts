/**
 * Native pixel data (PS3.5 §8.1, §8.2): checks its length, puts its words in little endian order, and
 * completes chroma that was left out.
 */
import { frameBytes, type Frame, type ImagePixels } from '../image-pixels.js';
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';

/** Little endian, also when deflated or in fragments. */
export function decodeNative(payload: Uint8Array, stored: ImagePixels): Frame {
  const full = frameBytes(stored);
  if (payload.length >= full) {
    // Some writers name a subsampled interpretation and store every sample: the length tells.
    const photometricInterpretation = unsampled(stored.photometricInterpretation);
    return {
      pixels: { ...stored, photometricInterpretation },
      bytes: payload.subarray(0, full),
    };
  }
  if (stored.photometricInterpretation === 'YBR_FULL_422') return completeChroma(payload, stored);
  if (/^YBR_PARTIAL_/.test(stored.photometricInterpretation)) {
    throw unsupportedPixels(
      `Native frames in ${stored.photometricInterpretation} cannot be decoded.`,
    );
  }
  throw tooShort(payload.length, full);
}

/**
 * Big endian (PS3.5 §A.3). Samples of more than eight bits are turned round one by one; eight bits
 * and less only where they lie in the 16-bit words of OW.
 */
export function decodeBigEndian(payload: Uint8Array, stored: ImagePixels): Frame {
  const { bitsAllocated, pixelDataVR } = stored;
  const width = bitsAllocated > 8 ? bitsAllocated / 8 : pixelDataVR === 'OW' ? 2 : 1;
  if (![1, 2, 4, 8].includes(width)) {
    throw unsupportedPixels(`Samples of ${bitsAllocated} bits in big endian cannot be decoded.`);
  }
  // A frame of an odd number of bytes ends within a word of OW, of which the first half is its own.
  if (width === 2 && payload.length % 2 === 1) {
    throw unsupportedPixels('Big endian words that two frames share cannot be decoded.');
  }
  return decodeNative(width === 1 ? payload : swapped(payload, width), stored);
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const length = bytes.length - (bytes.length % width);
  const copy = Buffer.from(bytes.subarray(0, length));
  if (width === 2) copy.swap16();
  else if (width === 4) copy.swap32();
  else copy.swap64();
  return copy;
}

function unsampled(photometricInterpretation: string): string {
  return photometricInterpretation === 'YBR_FULL_422' ? 'YBR_FULL' : photometricInterpretation;
}

/** From Y1 Y2 Cb Cr for two pixels to three samples a pixel (PS3.3 §C.7.6.3.1.2). */
function completeChroma(payload: Uint8Array, stored: ImagePixels): Frame {
  const { rows, columns, samplesPerPixel, bitsAllocated } = stored;
  const pairs = (rows * columns) / 2;
  if (samplesPerPixel !== 3 || bitsAllocated !== 8 || columns % 2 === 1) {
    throw unsupportedPixels(
      'Native frames in YBR_FULL_422 are decoded with 8 bits and an even number of columns only.',
    );
  }
  if (payload.length < pairs * 4) throw tooShort(payload.length, pairs * 4);
  const bytes = new Uint8Array(pairs * 6);
  for (let pair = 0, from = 0, to = 0; pair < pairs; pair++, from += 4) {
    const cb = payload[from + 2] ?? 0;
    const cr = payload[from + 3] ?? 0;
    for (let pixel = 0; pixel < 2; pixel++) {
      bytes[to++] = payload[from + pixel] ?? 0;
      bytes[to++] = cb;
      bytes[to++] = cr;
    }
  }
  const pixels: ImagePixels = {
    ...stored,
    photometricInterpretation: 'YBR_FULL',
    planarConfiguration: 0,
  };
  return { pixels, bytes };
}

function tooShort(length: number, expected: number): Error {
  return corruptPixels(`The frame has ${length} bytes where its attributes ask for ${expected}.`);
}
