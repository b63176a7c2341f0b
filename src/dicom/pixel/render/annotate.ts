/** Burns lines of text into a picture, white with a black outline so that any background will do. */
import { drawable, glyphHeight, glyphOf, glyphWidth } from './glyphs.js';
import type { Picture } from './picture.js';

/** Lines for the corners of a picture. */
export interface Annotations {
  readonly topLeft: readonly string[];
  readonly bottomLeft: readonly string[];
}

/** Points from one character or line to the next. */
const advance = glyphWidth + 1;
const leading = glyphHeight + 2;
/** A picture of this many pixels has points of one pixel. */
const pixelsPerPoint = 256;
const margin = 3;

/** The picture with its annotations; what does not fit is cut off. */
export function annotate(picture: Picture, { topLeft, bottomLeft }: Annotations): Picture {
  const { width, height, channels } = picture;
  const data = picture.data.slice();
  const point = Math.max(1, Math.floor(Math.min(width, height) / pixelsPerPoint));

  const fill = (x: number, y: number, value: number): void => {
    const right = Math.min(x + point, width);
    for (let row = Math.max(y, 0); row < Math.min(y + point, height); row++) {
      const line = row * width;
      data.fill(value, (line + Math.max(x, 0)) * channels, (line + right) * channels);
    }
  };

  /** Calls `draw` for each point that is set, in pixels of the picture. */
  const write = (text: string, top: number, draw: (x: number, y: number) => void): void => {
    Array.from(drawable(text)).forEach((character, at) => {
      const left = (margin + at * advance) * point;
      if (left >= width) return;
      glyphOf(character).forEach((bits, row) => {
        for (let column = 0; column < glyphWidth; column++) {
          if (((bits >> (glyphWidth - 1 - column)) & 1) === 0) continue;
          const x = left + column * point;
          if (x < width) draw(x, top + row * point);
        }
      });
    });
  };

  const lines = [
    ...topLeft.map((text, at) => ({ text, top: (margin + at * leading) * point })),
    ...bottomLeft.map((text, at) => ({
      text,
      top: height - (margin + (bottomLeft.length - at) * leading) * point,
    })),
  ];
  for (const { text, top } of lines) {
    write(text, top, (x, y) => {
      for (const dx of [-point, 0, point]) {
        for (const dy of [-point, 0, point]) fill(x + dx, y + dy, 0);
      }
    });
  }
  for (const { text, top } of lines) write(text, top, (x, y) => fill(x, y, 255));
  return { ...picture, data };
}
