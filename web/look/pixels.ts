/** Exact pixels: samples as stored, and their way to the screen through a window. */
import { request } from '../api/client.js';
import type { StackImage, Window } from './image.js';

/** Values of one gray frame after rescaling, row by row. */
export interface GrayPixels {
  readonly values: Float32Array;
  readonly least: number;
  readonly most: number;
}

/** Explicit VR little endian: the service decodes, so that no codec travels to the browser. */
const uncompressed = 'application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1';

/** Path of the instance's resource, relative to the service. */
export function instancePath(seriesPath: string, { instance }: StackImage): string {
  return `${seriesPath}/instances/${instance}`;
}

type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

function samplesOf({ bitsAllocated, isSigned }: StackImage, bytes: ArrayBuffer): Samples {
  if (bitsAllocated === 32) return isSigned ? new Int32Array(bytes) : new Uint32Array(bytes);
  if (bitsAllocated === 16) return isSigned ? new Int16Array(bytes) : new Uint16Array(bytes);
  return isSigned ? new Int8Array(bytes) : new Uint8Array(bytes);
}

/** One bit a pixel, the lowest bit first (PS3.5 §8.1.1). */
function unpacked(bytes: ArrayBuffer, count: number): Uint8Array {
  const packed = new Uint8Array(bytes);
  return Uint8Array.from({ length: count }, (_, at) => ((packed[at >> 3] ?? 0) >> (at & 7)) & 1);
}

/** Whether the page can show exact pixels of an image: gray, in whole bytes or single bits. */
export function hasExactPixels({ isGray, bitsAllocated }: StackImage): boolean {
  return isGray && [1, 8, 16, 32].includes(bitsAllocated);
}

/** Fetches the samples of a frame and rescales them (PS3.3 §C.11.1). */
export async function fetchPixels(
  seriesPath: string,
  image: StackImage,
  signal: AbortSignal,
): Promise<GrayPixels> {
  const response = await request(`${instancePath(seriesPath, image)}/frames/${image.frame}`, {
    headers: { Accept: uncompressed },
    signal,
  });
  const bytes = await response.arrayBuffer();
  const count = image.rows * image.columns;
  const samples = image.bitsAllocated === 1 ? unpacked(bytes, count) : samplesOf(image, bytes);
  // Bits above those stored may hold anything, and the sign has to reach through them.
  const unused = image.bitsAllocated === 1 ? 0 : 32 - image.bitsStored;
  const { slope, intercept, isSigned } = image;
  const values = new Float32Array(count);
  let least = Infinity;
  let most = -Infinity;
  for (let at = 0; at < count; at += 1) {
    const raw = samples[at] ?? 0;
    const stored = isSigned ? (raw << unused) >> unused : (raw << unused) >>> unused;
    const value = stored * slope + intercept;
    values[at] = value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { values, least, most };
}

/** The window that shows every value. */
export function fullRange({ least, most }: GrayPixels): Window {
  return { center: (least + most + 1) / 2, width: Math.max(1, most - least + 1) };
}

/** Draws values through a window (PS3.3 §C.11.2.1.2.1, linear) onto a canvas of their size. */
export function drawGray(
  canvas: OffscreenCanvas,
  { rows, columns, isInverted }: StackImage,
  { values }: GrayPixels,
  { center, width }: Window,
  inverted: boolean,
): void {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const picture = context.createImageData(columns, rows);
  const pixels = new Uint32Array(picture.data.buffer);
  const flip = isInverted !== inverted ? 255 : 0;
  const span = Math.max(width - 1, 1e-6);
  const start = center - 0.5 - span / 2;
  for (let at = 0; at < pixels.length; at += 1) {
    const scaled = (((values[at] ?? 0) - start) / span) * 255;
    const level = Math.max(0, Math.min(255, Math.round(scaled))) ^ flip;
    pixels[at] = 0xff000000 | (level << 16) | (level << 8) | level;
  }
  context.putImageData(picture, 0, 0);
}

/** Fetches a frame as the service renders it. */
export async function fetchPreview(
  seriesPath: string,
  image: StackImage,
  signal: AbortSignal,
): Promise<ImageBitmap> {
  const response = await request(
    `${instancePath(seriesPath, image)}/frames/${image.frame}/rendered`,
    { headers: { Accept: 'image/jpeg' }, signal },
  );
  return await createImageBitmap(await response.blob());
}
