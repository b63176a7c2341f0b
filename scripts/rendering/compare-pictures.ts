/** How alike two pictures are, level by level. */
import type { Picture } from '../../src/dicom/pixel/render/picture.js';

export interface Likeness {
  /** Share of samples, 0 to 1, that differ by no more than `nearby` levels. */
  readonly near: number;
  /** The greatest difference of one sample. */
  readonly worst: number;
}

/** Grey levels that do not count as different. */
export const nearby = 2;

function levelsOf({
  channels,
  data,
  width,
  height,
}: Picture): (pixel: number, at: number) => number {
  if (data.length < width * height * channels) throw new RangeError('a picture is too short');
  return channels === 1
    ? (pixel) => data[pixel] ?? 0
    : (pixel, channel) => data[pixel * 3 + channel] ?? 0;
}

/** Compares pictures of the same size; grey counts as three equal colours. */
export function compare(one: Picture, other: Picture): Likeness | 'another size' {
  if (one.width !== other.width || one.height !== other.height) return 'another size';
  const pixels = one.width * one.height;
  const [first, second] = [levelsOf(one), levelsOf(other)];
  let near = 0;
  let worst = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const difference = Math.abs(first(pixel, channel) - second(pixel, channel));
      if (difference <= nearby) near++;
      if (difference > worst) worst = difference;
    }
  }
  return { near: near / (pixels * 3), worst };
}
