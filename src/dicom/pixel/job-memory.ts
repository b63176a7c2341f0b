/**
 * What the work on one frame may hold at its height, told from attributes before anything is
 * decoded: a small payload, deflated or of one colour, can stand for a frame of any size.
 */
import { ServiceError } from '../../errors.js';
import type { ImagePixels } from './image-pixels.js';

/** More than this is not begun. */
export const mostJobBytes = 1024 ** 3;

/** What is held for each sample: whole copies of the frame, and bytes that a codec works on. */
interface Holding {
  readonly copies: number;
  readonly bytes: number;
}

/** The decoded frame, a copy of it for the codec, and what the codec makes of it. */
const bare: Holding = { copies: 3, bytes: 0 };
const jpeg: Holding = { copies: 3, bytes: 6 };
/** Its codec grows what it writes into by copying it. */
const jpegLs: Holding = { copies: 6, bytes: 0 };
/** Two planes of 32 bits, and the codestream. */
const wavelets: Holding = { copies: 3, bytes: 9 };

/** As `npm run bench:jobs` finds it, rounded up. */
const holdings: ReadonlyMap<string, Holding> = new Map(
  [
    ...['50', '51', '57', '70'].map((last) => [last, jpeg] as const),
    ...['80', '81'].map((last) => [last, jpegLs] as const),
    ...['90', '91', '201', '202', '203'].map((last) => [last, wavelets] as const),
  ].map(([last, holding]) => [`1.2.840.10008.1.2.4.${last}`, holding]),
);

/**
 * Bytes at the height of the work: the payload, and for each sample what the codecs hold.
 *
 * @param syntaxes the transfer syntaxes that are decoded and encoded.
 */
export function jobBytes(
  payloadBytes: number,
  { rows, columns, samplesPerPixel, bitsAllocated }: ImagePixels,
  syntaxes: readonly string[],
): number {
  const samples = rows * columns * samplesPerPixel;
  const held = syntaxes.map((uid) => holdings.get(uid) ?? bare);
  const copies = Math.max(...held.map((one) => one.copies), bare.copies);
  const working = Math.max(...held.map((one) => one.bytes), 0);
  return payloadBytes + samples * ((copies * Math.max(bitsAllocated, 1)) / 8 + working);
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
