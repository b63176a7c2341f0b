/**
 * Turns one stored frame into native samples: with the codec that `codecs.ts` names.
 * The WebAssembly codecs are loaded when the first frame needs them.
 */
import type { TransferSyntaxUID } from '../uid.js';
import { decoderOf, type DecoderName } from './codecs.js';
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

const decoders: Readonly<Record<DecoderName, Decoder>> = {
  native: decodeNative,
  bigEndian: decodeBigEndian,
  jpeg: decodeJpeg,
  jpegLs: decodeJpegLs,
  jpeg2000: decodeJpeg2000,
  highThroughputJpeg2000: decodeHighThroughputJpeg2000,
  rle: decodeRle,
  deflated: decodeDeflated,
};

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
  const codec = decoderOf.get(syntax);
  if (codec === undefined) {
    throw unsupportedPixels(`Pixel data in transfer syntax ${syntax} cannot be decoded.`);
  }
  refuseContradictions(stored);
  refuseLargeFrame(stored, limits);
  refuseOver(payload.length, limits.frameBytes);
  return await decoders[codec](payload, stored, limits);
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
