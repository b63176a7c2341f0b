/**
 * Draws the three sample pictures: a shape with soft edges, a little light from above and a faint
 * shadow on a pale background. Everything is a signed distance, so nothing is jagged.
 */

export type Shape = 'circle' | 'square' | 'triangle';

/** Red, green and blue, 0 to 255 each. */
export type Colour = readonly [number, number, number];

export interface Picture {
  readonly shape: Shape;
  readonly colour: Colour;
  /** The pale tone that the background fades to at the bottom. */
  readonly background: Colour;
}

// Taken out of the global once: they run some million times a picture.
const { abs, hypot, max, min, round, sqrt } = Math;

/** Rows and columns of a picture. */
export const pictureSize = 512;

const paper: Colour = [252, 252, 253];
const white: Colour = [255, 255, 255];
const ink: Colour = [24, 32, 56];

const channels = [0, 1, 2] as const;

const half = pictureSize / 2;
/** Corner radius of square and triangle, in pixels. */
const corner = 22;

/** Signed distance in pixels from a point to the outline, negative inside; the centre is (0, 0). */
const distances: Readonly<Record<Shape, (x: number, y: number) => number>> = {
  circle: (x, y) => hypot(x, y) - 150,
  square: (x, y) => {
    const [dx, dy] = [abs(x) - 135 + corner, abs(y) - 135 + corner];
    return hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - corner;
  },
  triangle: (x, y) => triangleDistance(x, y - 38) - corner,
};

/**
 * Draws a picture.
 *
 * @returns `pictureSize`² pixels, top row first, three bytes (red, green, blue) each.
 */
export function drawPicture({ shape, colour, background }: Picture): Uint8Array {
  const distance = distances[shape];
  const pixels = new Uint8Array(pictureSize * pictureSize * 3);
  let at = 0;
  for (let row = 0; row < pictureSize; row += 1) {
    const y = row + 0.5 - half;
    const ground = mix(paper, background, row / (pictureSize - 1));
    const depth = clamp((y + 180) / 360);
    const surface = mix(mix(colour, white, 0.2 * (1 - depth)), ink, 0.12 * depth);
    for (let column = 0; column < pictureSize; column += 1) {
      const x = column + 0.5 - half;
      const shadow = 0.2 * (1 - ramp(-14, 34, distance(x, y - 16)));
      const coverage = clamp(0.5 - distance(x, y));
      for (const channel of channels) {
        const behind = blend(ground[channel], ink[channel], shadow);
        pixels[at] = round(blend(behind, surface[channel], coverage));
        at += 1;
      }
    }
  }
  return pixels;
}

/** Distance to an equilateral triangle that points up and whose centroid is the origin. */
function triangleDistance(x: number, y: number): number {
  const circumradius = 160;
  const side = circumradius * sqrt(3);
  const [baseLine, bottomHalf] = [circumradius / 2, side / 2];
  // By symmetry only the right half matters: the slope, the base, and the corners between them.
  const right = abs(x);
  const toSlope = segmentDistance(right, y, 0, -circumradius, bottomHalf, baseLine);
  const toBase = segmentDistance(right, y, 0, baseLine, bottomHalf, baseLine);
  const underSlope = right * circumradius * 1.5 - (y + circumradius) * bottomHalf < 0;
  const outline = min(toSlope, toBase);
  return underSlope && y < baseLine ? -outline : outline;
}

function segmentDistance(
  x: number,
  y: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): number {
  const [dx, dy] = [bx - ax, by - ay];
  const along = clamp(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy));
  return hypot(x - ax - along * dx, y - ay - along * dy);
}

function mix(from: Colour, to: Colour, share: number): Colour {
  return [blend(from[0], to[0], share), blend(from[1], to[1], share), blend(from[2], to[2], share)];
}

function blend(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

function clamp(value: number): number {
  return min(1, max(0, value));
}

/** 0 at `from`, 1 at `to`, smooth between. */
function ramp(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from));
  return t * t * (3 - 2 * t);
}
