/** Writes GIF89a, animated when there are several pictures. Greys keep all their 256 levels. */
import { applyPalette, GIFEncoder, quantize, type Color } from 'gifenc';
import type { Picture } from '../picture.js';

const mostColors = 256;
const grayPalette: readonly Color[] = Array.from({ length: mostColors }, (_, at) => [at, at, at]);

function withOpacity(rgb: Uint8Array): Uint8Array {
  const pixels = rgb.length / 3;
  const rgba = new Uint8Array(pixels * 4);
  for (let at = 0; at < pixels; at++) {
    rgba[at * 4] = rgb[at * 3] ?? 0;
    rgba[at * 4 + 1] = rgb[at * 3 + 1] ?? 0;
    rgba[at * 4 + 2] = rgb[at * 3 + 2] ?? 0;
    rgba[at * 4 + 3] = 255;
  }
  return rgba;
}

/**
 * A GIF that pictures are added to one by one, so that only one need be held at a time; they repeat
 * for ever.
 *
 * @param delayMilliseconds how long each is shown; GIF counts hundredths of a second.
 */
export function gifWriter(delayMilliseconds: number): {
  add(picture: Picture): void;
  finish(): Uint8Array;
} {
  const gif = GIFEncoder();
  const timing = { delay: Math.max(20, Math.round(delayMilliseconds / 10) * 10), repeat: 0 };
  return {
    add({ width, height, channels, data }) {
      if (channels === 1) {
        gif.writeFrame(data, width, height, { ...timing, palette: grayPalette });
        return;
      }
      const rgba = withOpacity(data);
      const palette = quantize(rgba, mostColors);
      gif.writeFrame(applyPalette(rgba, palette), width, height, { ...timing, palette });
    },
    finish() {
      gif.finish();
      return gif.bytes();
    },
  };
}
