/**
 * Samples as the codecs want them: interleaved, masked to the precision of the codestream, in the
 * narrowest array that holds it.
 */
import type { Frame, ImagePixels } from '../image-pixels.js';

/** The samples of one frame, pixel by pixel, as unsigned bit patterns of `precision` bits. */
export interface CodedSamples {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  /** Bits of a sample in the codestream. */
  readonly precision: number;
  readonly samples: Uint8Array | Uint16Array;
}

/**
 * Unpacks a frame of 8 or 16 bits allocated. The precision is Bits Stored where the bits above it
 * say nothing; where they do say something (an overlay, a sample at the high end of its word) it is
 * Bits Allocated, so that they come back as well. Of 16 bits allocated it is 9 at least: decoders
 * hand less out as bytes, and readers who believe Bits Allocated take two of them for one sample.
 *
 * @param narrowest least precision that the codec, or its decoders, know.
 * @param signExtended the codestream cannot say that samples are signed. Signed samples then take
 *   Bits Allocated, because decoders hand the word on as it is and many readers take it for one
 *   whose sign has been extended.
 */
export function codedSamples(
  frame: Frame,
  { narrowest = 1, signExtended = false }: { narrowest?: number; signExtended?: boolean } = {},
): CodedSamples {
  const { pixels } = frame;
  const stored = interleaved(frame);
  const keepsWord =
    (signExtended && pixels.pixelRepresentation === 1) || !spareBitsAreIdle(stored, pixels);
  const precision = keepsWord
    ? pixels.bitsAllocated
    : Math.max(narrowest, pixels.bitsStored, pixels.bitsAllocated === 16 ? 9 : 1);
  return {
    columns: pixels.columns,
    rows: pixels.rows,
    components: pixels.samplesPerPixel,
    precision,
    samples: masked(stored, precision),
  };
}

/** Words of the frame in pixel order, in an array of the frame's own width. */
function interleaved({ pixels, bytes }: Frame): Uint8Array | Uint16Array {
  const { rows, columns, samplesPerPixel, planarConfiguration } = pixels;
  const count = rows * columns * samplesPerPixel;
  const words = pixels.bitsAllocated === 8 ? bytes.subarray(0, count) : words16(bytes, count);
  if (samplesPerPixel === 1 || planarConfiguration === 0) return words;

  const plane = rows * columns;
  const output = pixels.bitsAllocated === 8 ? new Uint8Array(count) : new Uint16Array(count);
  for (let sample = 0; sample < samplesPerPixel; sample += 1) {
    for (let at = 0; at < plane; at += 1) {
      output[at * samplesPerPixel + sample] = words[sample * plane + at] ?? 0;
    }
  }
  return output;
}

/** Little-endian words; copied, because a frame may begin at an odd byte. */
function words16(bytes: Uint8Array, count: number): Uint16Array {
  const words = new Uint16Array(count);
  for (let at = 0; at < count; at += 1) {
    words[at] = (bytes[2 * at] ?? 0) | ((bytes[2 * at + 1] ?? 0) << 8);
  }
  return words;
}

/** Whether all bits above Bits Stored are zero, or, in signed samples, repeat the sign. */
function spareBitsAreIdle(
  words: Uint8Array | Uint16Array,
  { bitsAllocated, bitsStored, highBit, pixelRepresentation }: ImagePixels,
): boolean {
  if (bitsStored === bitsAllocated) return true;
  if (highBit !== bitsStored - 1) return false;
  const spare = 2 ** bitsAllocated - 2 ** bitsStored;
  const sign = pixelRepresentation === 1 ? 2 ** (bitsStored - 1) : 0;
  return words.every((word) => {
    const above = word & spare;
    return above === 0 || (above === spare && (word & sign) !== 0);
  });
}

function masked(words: Uint8Array | Uint16Array, precision: number): Uint8Array | Uint16Array {
  const output = precision <= 8 ? new Uint8Array(words.length) : new Uint16Array(words.length);
  const mask = 2 ** precision - 1;
  for (let at = 0; at < words.length; at += 1) output[at] = (words[at] ?? 0) & mask;
  return output;
}
