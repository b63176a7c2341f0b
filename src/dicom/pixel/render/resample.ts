/**
 * Scaling, cutting and mirroring of pictures: each pixel that becomes smaller is the mean of the area
 * it covers, each that becomes larger lies on the line between its neighbours.
 */
import type { Picture } from './picture.js';
import type { Placement } from './viewport.js';

/** Of which source pixels, and with which weights, one pixel of a line is made. */
interface Taps {
  /** First source pixel of each result pixel. */
  readonly starts: Int32Array;
  /** `width` weights for each, whose sum is 1. */
  readonly weights: Float32Array;
  readonly width: number;
}

/**
 * The taps of one direction.
 *
 * @param size source pixels in this direction; none beyond is read.
 */
function tapsOf(
  start: number,
  length: number,
  target: number,
  mirror: boolean,
  size: number,
): Taps {
  const scale = length / target;
  // A pixel that grows is a triangle as wide as a source pixel on either side; one that shrinks a box.
  const radius = scale > 1 ? scale / 2 : 1;
  const weigh =
    scale > 1
      ? (pixel: number, center: number) =>
          Math.min(pixel + 1, center + radius) - Math.max(pixel, center - radius)
      : (pixel: number, center: number) => 1 - Math.abs(pixel + 0.5 - center);
  const width = Math.ceil(radius * 2) + 1;
  const starts = new Int32Array(target);
  const weights = new Float32Array(target * width);
  for (let at = 0; at < target; at++) {
    const center = start + (at + 0.5) * scale;
    const first = Math.min(Math.max(Math.floor(center - radius), 0), Math.max(size - width, 0));
    const out = mirror ? target - 1 - at : at;
    starts[out] = first;
    let sum = 0;
    for (let tap = 0; tap < width && first + tap < size; tap++) {
      const weight = Math.max(0, weigh(first + tap, center));
      weights[out * width + tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < width; tap++) {
      weights[out * width + tap] = (weights[out * width + tap] ?? 0) / sum;
    }
  }
  return { starts, weights, width };
}

/** Whether a placement leaves every pixel where it is. */
function changesNothing(
  picture: Picture,
  { region, width, height, ...mirror }: Placement,
): boolean {
  return (
    region.x === 0 &&
    region.y === 0 &&
    region.width === width &&
    region.height === height &&
    width === picture.width &&
    height === picture.height &&
    !mirror.mirrorX &&
    !mirror.mirrorY
  );
}

/** The picture as placed. The two directions are done one after the other. */
export function resample(picture: Picture, placement: Placement): Picture {
  if (changesNothing(picture, placement)) return picture;
  const { channels } = picture;
  const { region, width, height, mirrorX, mirrorY } = placement;
  const across = tapsOf(region.x, region.width, width, mirrorX, picture.width);
  const down = tapsOf(region.y, region.height, height, mirrorY, picture.height);
  const sourceLine = picture.width * channels;
  const lineLength = width * channels;
  // Lines of the source, scaled across, are held only as long as a line of the result needs them.
  const ring = new Float32Array(down.width * lineLength);
  const slot = (row: number): number => (row % down.width) * lineLength;
  const data = new Uint8Array(width * height * channels);
  let scaled = 0;
  for (let step = 0; step < height; step++) {
    const y = mirrorY ? height - 1 - step : step;
    const first = down.starts[y] ?? 0;
    const end = Math.min(first + down.width, picture.height);
    for (let row = Math.max(first, scaled); row < end; row++) {
      const line = picture.data.subarray(row * sourceLine, (row + 1) * sourceLine);
      scaleLine(line, ring.subarray(slot(row), slot(row) + lineLength), across, channels);
    }
    scaled = end;
    for (let at = 0; at < lineLength; at++) {
      let sum = 0.5;
      for (let row = first; row < end; row++) {
        const weight = down.weights[y * down.width + row - first] ?? 0;
        if (weight !== 0) sum += weight * (ring[slot(row) + at] ?? 0);
      }
      data[y * lineLength + at] = sum;
    }
  }
  return { width, height, channels, data };
}

function scaleLine(
  source: Uint8Array,
  target: Float32Array,
  { starts, weights, width }: Taps,
  channels: number,
): void {
  const pixels = starts.length;
  for (let x = 0; x < pixels; x++) {
    const first = (starts[x] ?? 0) * channels;
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let tap = 0; tap < width; tap++) {
        const weight = weights[x * width + tap] ?? 0;
        if (weight !== 0) sum += weight * (source[first + tap * channels + channel] ?? 0);
      }
      target[x * channels + channel] = sum;
    }
  }
}
