/** JPEG-LS Lossless (ISO/IEC 14495-1, PS3.5 §8.2.3) by CharLS, NEAR 0, colour interleaved by sample. */
import { ServiceError } from '../../../errors.js';
import type { EncodedFrame } from '../encode-frame.js';
import type { Frame } from '../image-pixels.js';
import { codedSamples } from './coded-samples.js';
import { type CodecEncoder, wasmEncoder } from './wasm-codec.js';

interface JpegLsEncoder extends CodecEncoder {
  setNearLossless(near: number): void;
  setInterleaveMode(mode: number): void;
}

const encode = wasmEncoder<JpegLsEncoder>('@cornerstonejs/codec-charls/wasmjs', 'JpegLSEncoder');

/** Values of ILV (ISO/IEC 14495-1 §C.2.3). */
const interleave = { none: 0, sample: 2 };

/** Least precision: the format has 2, but some decoders refuse what is below 6, and DCMTK is one. */
const narrowest = 8;

/**
 * Encodes 8 or 16 bits allocated, one or three samples; Planar Configuration becomes 0.
 *
 * @throws ServiceError `pixel-data-unsupported` for noise: the codec has room for a codestream of the
 *   frame's size and a kilobyte, which only samples that are random in every bit outgrow.
 */
export async function encodeJpegLs(frame: Frame): Promise<EncodedFrame> {
  const coded = codedSamples(frame, { narrowest, signExtended: true });
  const bytes = await encode(
    {
      width: coded.columns,
      height: coded.rows,
      bitsPerSample: coded.precision,
      componentCount: coded.components,
      isSigned: false,
      isUsingColorTransform: false,
    },
    coded.samples,
    (encoder) => {
      encoder.setNearLossless(0);
      encoder.setInterleaveMode(coded.components === 1 ? interleave.none : interleave.sample);
    },
  ).catch((cause: unknown) => {
    const message = 'The frame does not become smaller as JPEG-LS.';
    throw new ServiceError('pixel-data-unsupported', message, {}, cause);
  });
  return { bytes, pixels: { ...frame.pixels, planarConfiguration: 0 } };
}
