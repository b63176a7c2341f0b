/** Colour pixels as red, green and blue of eight bits each (PS3.3 §C.7.6.3.1.2). */
import type { Frame } from '../image-pixels.js';
import { unsupportedPixels } from '../pixel-errors.js';
import type { Palette } from './presentation.js';
import { samplesOf, type Samples } from './samples.js';

/** Writes the red, green and blue of one pixel. */
type Convert = (target: Uint8Array, at: number, a: number, b: number, c: number) => void;

const clamp = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : Math.round(value));

const asIs: Convert = (target, at, red, green, blue) => {
  target[at] = red;
  target[at + 1] = green;
  target[at + 2] = blue;
};

const fromFullRange: Convert = (target, at, y, cb, cr) => {
  target[at] = clamp(y + 1.402 * (cr - 128));
  target[at + 1] = clamp(y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128));
  target[at + 2] = clamp(y + 1.772 * (cb - 128));
};

/** Luminance from 16 to 235, chrominance from 16 to 240, as CCIR 601 has it. */
const fromPartialRange: Convert = (target, at, y, cb, cr) => {
  const luminance = (255 / 219) * (y - 16);
  const scale = 255 / 224;
  fromFullRange(target, at, luminance, scale * (cb - 128) + 128, scale * (cr - 128) + 128);
};

/**
 * By photometric interpretation. A JPEG 2000 decoder undoes RCT and ICT itself, so that what it
 * leaves under those names is red, green and blue.
 */
const conversions: Readonly<Record<string, Convert>> = {
  RGB: asIs,
  YBR_RCT: asIs,
  YBR_ICT: asIs,
  YBR_FULL: fromFullRange,
  YBR_PARTIAL_422: fromPartialRange,
};

/** Samples of any depth reduced, or spread, to eight bits. */
function toEightBits(samples: Samples, bitsStored: number): Samples {
  if (bitsStored === 8) return samples;
  const reduced = new Uint8Array(samples.length);
  const scale = 255 / (2 ** bitsStored - 1);
  for (let at = 0; at < reduced.length; at++) reduced[at] = Math.round((samples[at] ?? 0) * scale);
  return reduced;
}

/**
 * A frame of three samples a pixel as RGB, interleaved.
 *
 * @throws ServiceError `pixel-data-unsupported` for another colour model, `pixel-data-corrupt` for a
 *   frame that is too short.
 */
export function rgbOf(frame: Frame): Uint8Array {
  const { pixels, bytes } = frame;
  const { rows, columns, bitsStored, planarConfiguration, photometricInterpretation } = pixels;
  const convert = conversions[photometricInterpretation];
  if (convert === undefined) {
    throw unsupportedPixels(
      `Pixels of ${photometricInterpretation.slice(0, 16)} cannot be rendered.`,
    );
  }
  const count = rows * columns;
  // Colours are never negative, whatever Pixel Representation says.
  const unsigned = { bytes, pixels: { ...pixels, pixelRepresentation: 0 as const } };
  const samples = toEightBits(samplesOf(unsigned, 'integer', count * 3), bitsStored);
  const sample = (at: number): number => samples[at] ?? 0;
  if (planarConfiguration === 0 && convert === asIs && samples instanceof Uint8Array) {
    return samples;
  }
  const rgb = new Uint8Array(count * 3);
  const [step, plane] = planarConfiguration === 1 ? [1, count] : [3, 1];
  for (let pixel = 0; pixel < count; pixel++) {
    const at = pixel * step;
    convert(rgb, pixel * 3, sample(at), sample(at + plane), sample(at + 2 * plane));
  }
  return rgb;
}

/** The colours of palette indexes as RGB, interleaved (PS3.3 §C.7.6.3.1.5). */
export function paletteColors(samples: Samples, palette: Palette): Uint8Array {
  const { first, red, green, blue } = palette;
  const last = Math.max(red.length - 1, 0);
  const rgb = new Uint8Array(samples.length * 3);
  for (let pixel = 0; pixel < samples.length; pixel++) {
    const index = Math.min(Math.max((samples[pixel] ?? 0) - first, 0), last);
    rgb[pixel * 3] = red[index] ?? 0;
    rgb[pixel * 3 + 1] = green[index] ?? 0;
    rgb[pixel * 3 + 2] = blue[index] ?? 0;
  }
  return rgb;
}
