/** JPEG-LS, with and without losses (ITU-T T.87, PS3.5 §8.2.3), by CharLS. */
import type { Frame, ImagePixels } from '../image-pixels.js';
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';
import type { PixelLimits } from '../pixel-limits.js';
import { checkSize, frameOfSamples } from './codestream.js';
import { hasEndMarker, markers, readJpegHeader } from './jpeg-header.js';
import { wasmDecoder } from './wasm-decoder.js';

const decode = wasmDecoder({
  script: '@cornerstonejs/codec-charls/decodewasmjs',
  wasm: '@cornerstonejs/codec-charls/decodewasm',
  decoder: 'JpegLSDecoder',
});

/** ILV (T.87 §C.2.3): components one after the other. */
const byPlane = 0;

/** Decodes JPEG-LS; the planes of colour come as the codestream has them. */
export async function decodeJpegLs(
  payload: Uint8Array,
  stored: ImagePixels,
  limits: PixelLimits,
): Promise<Frame> {
  const header = readJpegHeader(payload);
  if (header.process !== markers.sofLs) throw corruptPixels('The frame is no JPEG-LS codestream.');
  checkSize(header, stored, limits);
  if (header.frame.some(({ horizontal, vertical }) => horizontal !== 1 || vertical !== 1)) {
    throw unsupportedPixels('JPEG-LS with subsampled components cannot be decoded.');
  }
  // Without an end CharLS reads on for many seconds before it gives up.
  if (!hasEndMarker(payload)) throw corruptPixels('The JPEG-LS codestream ends early.');
  const { precision, components } = header;
  const { bytes, planar } = await decode(payload, (decoder) => ({
    bytes: Uint8Array.from(decoder.getDecodedBuffer()),
    planar: components > 1 && decoder.getInterleaveMode?.() === byPlane,
  })).catch((cause: unknown) => {
    throw corruptPixels('The JPEG-LS codestream cannot be decoded.', cause);
  });
  return frameOfSamples(
    {
      bytes,
      precision,
      photometricInterpretation:
        stored.photometricInterpretation === 'YBR_FULL_422'
          ? 'YBR_FULL'
          : stored.photometricInterpretation,
      planarConfiguration: planar ? 1 : 0,
    },
    stored,
  );
}
