/** The DCT processes of JPEG with 8 bits, by libjpeg-turbo. */
import { corruptPixels } from '../pixel-errors.js';
import { hasEndMarker, markers, type JpegHeader } from './jpeg-header.js';
import { wasmDecoder } from './wasm-decoder.js';

const decode = wasmDecoder({
  script: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
  wasm: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm',
  decoder: 'JPEGDecoder',
});

/**
 * Decodes grey, or colour to RGB interleaved by pixel.
 *
 * @param isYcc whether the components are to be transformed to RGB, or are RGB already.
 * @throws ServiceError `pixel-data-corrupt`
 */
export async function decodeTurboJpeg(
  bytes: Uint8Array,
  header: JpegHeader,
  isYcc: boolean,
): Promise<Uint8Array> {
  try {
    return await decode(
      withEnd(header.components === 3 && !header.jfif ? withTransform(bytes, isYcc) : bytes),
      (decoder, info) => {
        if (info.width !== header.columns || info.height !== header.rows) {
          throw corruptPixels('The JPEG codestream decodes to another size than it says.');
        }
        return Uint8Array.from(decoder.getDecodedBuffer());
      },
    );
  } catch (cause) {
    throw corruptPixels('The JPEG codestream cannot be decoded.', cause);
  }
}

/**
 * The codestream with an Adobe segment in front that names its colour transform, which the decoder
 * would otherwise guess from component numbers. A later segment of that kind has had its say.
 */
function withTransform(bytes: Uint8Array, isYcc: boolean): Uint8Array {
  const segment = [
    0xff,
    markers.app14,
    ...[0, 14],
    ...Buffer.from('Adobe', 'latin1'),
    ...[0, 100, 0, 0, 0, 0, isYcc ? 1 : 0],
  ];
  return Buffer.concat([bytes.subarray(0, 2), Uint8Array.from(segment), bytes.subarray(2)]);
}

/** Some writers leave out the last marker, which the decoder misses even when all samples are there. */
function withEnd(bytes: Uint8Array): Uint8Array {
  return hasEndMarker(bytes) ? bytes : Buffer.concat([bytes, Uint8Array.of(0xff, markers.eoi)]);
}
