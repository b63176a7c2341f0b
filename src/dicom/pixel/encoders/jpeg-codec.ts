/** libjpeg-turbo's encoder, loaded once for transcoding and for pictures: sequential JPEG of 8 bits. */
import { wasmEncoder, type CodecEncoder, type EncodedFrameInfo } from './wasm-codec.js';

interface JpegEncoder extends CodecEncoder {
  setProgressive(progressive: number): void;
  setQuality(quality: number): void;
  setSubSampling(mode: number): void;
}

const encode = wasmEncoder<JpegEncoder>(
  '@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs',
  'JPEGEncoder',
);

/** How colour is stored, in the modes of the TurboJPEG interface (TJSAMP_444, TJSAMP_422, TJSAMP_420). */
export const chroma = { full: 0, halfWidth: 1, quarter: 2 } as const;

/**
 * Encodes samples.
 *
 * @param quality 1 to 100, by the scale of the Independent JPEG Group.
 * @param subsampling one of `chroma`.
 */
export async function encodeJpegSamples(
  info: EncodedFrameInfo,
  samples: Uint8Array,
  quality: number,
  subsampling: (typeof chroma)[keyof typeof chroma],
): Promise<Uint8Array> {
  return await encode(info, samples, (encoder) => {
    encoder.setProgressive(0);
    encoder.setQuality(quality);
    encoder.setSubSampling(subsampling);
  });
}
