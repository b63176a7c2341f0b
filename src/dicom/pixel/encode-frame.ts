/**
 * Turns one native frame into the bytes of a transfer syntax: with the codec that `codecs.ts` names.
 * The WebAssembly codecs are loaded when the first frame needs them.
 */
import type { TransferSyntaxUID } from '../uid.js';
import { encoderOf, type EncoderName } from './codecs.js';
import { encodeJpegBaseline } from './encoders/jpeg-baseline.js';
import { encodeJpegLossless } from './encoders/jpeg-lossless.js';
import { encodeJpegLs } from './encoders/jpeg-ls.js';
import {
  encodeHighThroughputJpeg2000,
  encodeJpeg2000,
  encodeProgressiveJpeg2000,
} from './encoders/jpeg-2000.js';
import { encodeNative } from './encoders/native.js';
import { encodeRle } from './encoders/rle.js';
import type { Frame, ImagePixels } from './image-pixels.js';
import { unsupportedPixels } from './pixel-errors.js';
import { canEncode } from './transcodable.js';

/** What a lossy encoding did to a frame, as (0028,2112) and (0028,2114) record it. */
export interface LossyStep {
  /** A defined term of PS3.3 §C.7.6.1.1.5.2, for example `ISO_10918_1`. */
  readonly method: string;
  /** Bytes of the native frame for one byte of the encoded one. */
  readonly ratio: number;
}

/** One frame in its transfer syntax. */
export interface EncodedFrame {
  /** The codestream, or the native frame; not padded to an even length (RLE is even by itself). */
  readonly bytes: Uint8Array;
  /** What the Image Pixel module has to say of these bytes (PS3.3 §C.7.6.3). */
  readonly pixels: ImagePixels;
  /** There when this encoding loses information. */
  readonly lossy?: LossyStep;
}

type Encoder = (frame: Frame) => EncodedFrame | Promise<EncodedFrame>;

const encoders: Readonly<Record<EncoderName, Encoder>> = {
  native: encodeNative,
  jpegBaseline: encodeJpegBaseline,
  jpegLossless: encodeJpegLossless,
  jpegLs: encodeJpegLs,
  jpeg2000: encodeJpeg2000,
  highThroughputJpeg2000: encodeHighThroughputJpeg2000,
  progressiveJpeg2000: encodeProgressiveJpeg2000,
  rle: encodeRle,
};

/**
 * Encodes one native frame (PS3.5 §8.2, §A.4). Lossless encodings keep every sample value; where
 * bits above Bits Stored mean something, such as an overlay, they are kept as well.
 *
 * @throws ServiceError `pixel-data-unsupported` when the syntax cannot hold such pixels, which
 *   `canEncode` tells beforehand.
 */
export async function encodeFrame(frame: Frame, target: TransferSyntaxUID): Promise<EncodedFrame> {
  const codec = encoderOf.get(target);
  if (codec === undefined || !canEncode(frame.pixels, target)) {
    throw unsupportedPixels(`These pixels cannot be encoded in transfer syntax ${target}.`);
  }
  return await encoders[codec](frame);
}
