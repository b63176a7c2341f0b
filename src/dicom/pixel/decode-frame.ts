/**
 * Turns one stored frame into native samples: a table of decoders by transfer syntax, one codec each.
 * The WebAssembly codecs are loaded when the first frame needs them.
 */
import type { TransferSyntaxUID } from '../uid.js';
import { decodeDeflated } from './decoders/deflated.js';
import { decodeHighThroughputJpeg2000, decodeJpeg2000 } from './decoders/jpeg-2000.js';
import { decodeJpegLs } from './decoders/jpeg-ls.js';
import { decodeJpeg } from './decoders/jpeg.js';
import { decodeBigEndian, decodeNative } from './decoders/native.js';
import { decodeRle } from './decoders/rle.js';
import type { Frame, ImagePixels } from './image-pixels.js';
import { corruptPixels, refuseLargeFrame, refuseOver, unsupportedPixels } from './pixel-errors.js';
import type { PixelLimits } from './pixel-limits.js';

export type { PixelLimits } from './pixel-limits.js';

type Decoder = (
  payload: Uint8Array,
  stored: ImagePixels,
  limits: PixelLimits,
) => Frame | Promise<Frame>;

const decoders: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['1.2.840.10008.1.2', decodeNative],
  ['1.2.840.10008.1.2.1', decodeNative],
  ['1.2.840.10008.1.2.1.98', decodeNative],
  ['1.2.840.10008.1.2.1.99', decodeNative],
  ['1.2.840.10008.1.2.2', decodeBigEndian],
  ['1.2.840.10008.1.2.4.50', decodeJpeg],
  ['1.2.840.10008.1.2.4.51', decodeJpeg],
  ['1.2.840.10008.1.2.4.57', decodeJpeg],
  ['1.2.840.10008.1.2.4.70', decodeJpeg],
  ['1.2.840.10008.1.2.4.80', decodeJpegLs],
  ['1.2.840.10008.1.2.4.81', decodeJpegLs],
  ['1.2.840.10008.1.2.4.90', decodeJpeg2000],
  ['1.2.840.10008.1.2.4.91', decodeJpeg2000],
  ['1.2.840.10008.1.2.4.201', decodeHighThroughputJpeg2000],
  ['1.2.840.10008.1.2.4.202', decodeHighThroughputJpeg2000],
  ['1.2.840.10008.1.2.4.203', decodeHighThroughputJpeg2000],
  ['1.2.840.10008.1.2.5', decodeRle],
  ['1.2.840.10008.1.2.8.1', decodeDeflated],
]);

/** The transfer syntaxes whose frames can be decoded. */
export const decodableSyntaxes: readonly TransferSyntaxUID[] = [
  ...decoders.keys(),
] as TransferSyntaxUID[];

/**
 * Decodes one frame. What the codestream says of itself is held against the data set and the limits
 * before anything is decoded.
 *
 * @param payload the frame as stored: a native frame's bytes, from a byte boundary, or the fragments
 *   of an encapsulated one, one after the other.
 * @param stored what the data set says of it.
 * @returns samples, and what they are: full chroma, colour transforms of the codec undone.
 * @throws ServiceError `pixel-data-corrupt`, `pixel-data-unsupported`, `pixel-data-too-large`.
 */
export async function decodeFrame(
  payload: Uint8Array,
  stored: ImagePixels,
  syntax: TransferSyntaxUID,
  limits: PixelLimits,
): Promise<Frame> {
  const decode = decoders.get(syntax);
  if (decode === undefined) {
    throw unsupportedPixels(`Pixel data in transfer syntax ${syntax} cannot be decoded.`);
  }
  refuseContradictions(stored);
  refuseLargeFrame(stored, limits);
  refuseOver(payload.length, limits.frameBytes);
  return await decode(payload, stored, limits);
}

/** @throws ServiceError `pixel-data-corrupt` when the attributes cannot be true together. */
function refuseContradictions({ bitsAllocated, bitsStored, highBit }: ImagePixels): void {
  if (
    bitsStored >= 1 &&
    bitsStored <= bitsAllocated &&
    highBit < bitsAllocated &&
    highBit >= bitsStored - 1
  ) {
    return;
  }
  throw corruptPixels(
    `Bits Allocated ${bitsAllocated}, Bits Stored ${bitsStored} and High Bit ${highBit} contradict each other.`,
  );
}
