/**
 * What a frame that is sent by itself has to hold. Its reader knows the attributes of the instance as
 * they are stored, from metadata read once, and not which transfer syntax was converted to which; so
 * its samples, once decoded, are what those attributes say (decision 15).
 */
import { rgbToYcc, yccToRgb } from './luminance.js';
import type { Frame, ImagePixels } from './image-pixels.js';
import { corruptPixels, unsupportedPixels } from './pixel-errors.js';

/** How readers take three full samples a pixel under a photometric interpretation. */
interface Reading {
  readonly colour: 'RGB' | 'YBR_FULL';
  /** Whether Planar Configuration is heeded, or samples of a pixel always follow each other. */
  readonly heedsPlanes: boolean;
}

const interleavedRgb: Reading = { colour: 'RGB', heedsPlanes: false };

/**
 * By stored photometric interpretation. Those that name a transform of a codec, or subsampling, stand
 * for what a decoder makes of it, which is RGB.
 */
const readings: Readonly<Record<string, Reading>> = {
  RGB: { colour: 'RGB', heedsPlanes: true },
  YBR_FULL: { colour: 'YBR_FULL', heedsPlanes: true },
  YBR_FULL_422: interleavedRgb,
  YBR_PARTIAL_422: interleavedRgb,
  YBR_PARTIAL_420: interleavedRgb,
  YBR_ICT: interleavedRgb,
  YBR_RCT: interleavedRgb,
};

/** Whether readers expect three planes of samples, one after the other. */
export function isReadInPlanes({
  samplesPerPixel,
  planarConfiguration,
  photometricInterpretation,
}: ImagePixels): boolean {
  return (
    samplesPerPixel === 3 &&
    planarConfiguration === 1 &&
    readings[photometricInterpretation]?.heedsPlanes === true
  );
}

/**
 * A decoded frame in the colours that its stored attributes name.
 *
 * @throws ServiceError `pixel-data-corrupt` when the codestream has samples of another width than the
 *   attributes say, `pixel-data-unsupported` for colours that cannot be converted.
 */
export function inStoredColours(frame: Frame, stored: ImagePixels): Frame {
  const { pixels } = frame;
  if (pixels.bitsAllocated !== stored.bitsAllocated) {
    throw corruptPixels(
      `The codestream takes ${pixels.bitsAllocated} bits a sample, the data set says ${stored.bitsAllocated}: its frames fit no attributes by themselves.`,
    );
  }
  const reading = readings[stored.photometricInterpretation];
  if (pixels.samplesPerPixel !== 3 || reading === undefined) return frame;
  const { photometricInterpretation: from } = pixels;
  if (from === reading.colour) return frame;
  const convert = from === 'YBR_FULL' ? yccToRgb : from === 'RGB' ? rgbToYcc : undefined;
  if (convert === undefined || (pixels.bitsAllocated !== 8 && pixels.bitsAllocated !== 16)) {
    throw unsupportedPixels(`Pixels of ${from} cannot be sent as ${reading.colour}.`);
  }
  const interleaved = interleave(frame);
  const samples = wordsOf(interleaved);
  convert(samples, pixels.bitsStored);
  return {
    bytes: pixels.bitsAllocated === 8 ? Uint8Array.from(samples) : new Uint8Array(samples.buffer),
    pixels: { ...interleaved.pixels, photometricInterpretation: reading.colour },
  };
}

/** The frame with its samples in planes where readers expect them so, else pixel by pixel. */
export function inStoredPlanes(frame: Frame, stored: ImagePixels): Frame {
  if (frame.pixels.samplesPerPixel !== 3) return frame;
  return isReadInPlanes(stored) ? rearrange(frame, 1) : interleave(frame);
}

function interleave(frame: Frame): Frame {
  return rearrange(frame, 0);
}

function rearrange(frame: Frame, planarConfiguration: 0 | 1): Frame {
  const { pixels, bytes } = frame;
  if (pixels.planarConfiguration === planarConfiguration) return frame;
  const { rows, columns, samplesPerPixel, bitsAllocated } = pixels;
  const width = bitsAllocated / 8;
  const count = rows * columns;
  const moved = new Uint8Array(bytes.length);
  for (let sample = 0; sample < samplesPerPixel; sample++) {
    for (let pixel = 0; pixel < count; pixel++) {
      const inPlanes = (sample * count + pixel) * width;
      const byPixel = (pixel * samplesPerPixel + sample) * width;
      const [from, to] = planarConfiguration === 1 ? [byPixel, inPlanes] : [inPlanes, byPixel];
      for (let byte = 0; byte < width; byte++) moved[to + byte] = bytes[from + byte] ?? 0;
    }
  }
  return { pixels: { ...pixels, planarConfiguration }, bytes: moved };
}

/** Samples of 8 or 16 bits, copied. */
function wordsOf({ pixels, bytes }: Frame): Uint16Array {
  if (pixels.bitsAllocated === 8) return Uint16Array.from(bytes);
  const words = new Uint16Array(bytes.length >> 1);
  new Uint8Array(words.buffer).set(bytes.subarray(0, words.length * 2));
  return words;
}
