/**
 * What the work on one frame may hold at its height, told from attributes before anything is
 * decoded: a small payload, deflated or of one colour, can stand for a frame of any size.
 */
import { ServiceError } from '../../errors.js';
import type { ImagePixels } from './image-pixels.js';

/** More than this is not begun. */
export const mostJobBytes = 1024 ** 3;

/** JPEG 2000 works on two planes of 32 bits beside the samples that go in and the codestream. */
const waveletBytes = 8;
const wavelets: ReadonlySet<string> = new Set(
  ['90', '91', '201', '202', '203'].map((last) => `1.2.840.10008.1.2.4.${last}`),
);

/**
 * Bytes at the height of the work: the payload, the decoded frame, a copy of it for the codec, what the
 * codec makes of it, and what it works on.
 *
 * @param syntaxes the transfer syntaxes that are decoded and encoded.
 */
export function jobBytes(
  payloadBytes: number,
  { rows, columns, samplesPerPixel, bitsAllocated }: ImagePixels,
  syntaxes: readonly string[],
): number {
  const samples = rows * columns * samplesPerPixel;
  const working = syntaxes.some((uid) => wavelets.has(uid)) ? waveletBytes : 0;
  return payloadBytes + samples * ((3 * Math.max(bitsAllocated, 1)) / 8 + working);
}

/** @throws ServiceError `pixel-data-too-large` when the work would hold more than any may. */
export function refuseLargeJob(
  payloadBytes: number,
  pixels: ImagePixels,
  syntaxes: readonly string[],
): void {
  const bytes = jobBytes(payloadBytes, pixels, syntaxes);
  if (bytes <= mostJobBytes) return;
  throw new ServiceError(
    'pixel-data-too-large',
    `The conversion of the frame would hold ${Math.ceil(bytes)} bytes; up to ${mostJobBytes} are given to one.`,
    { limit: 'mostJobBytes', limitValue: mostJobBytes },
  );
}
