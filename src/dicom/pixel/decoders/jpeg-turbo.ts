/** The DCT processes of JPEG with 8 bits, by libjpeg-turbo. */
import { corruptPixels } from '../pixel-errors.js';
import { hasEndMarker, markers, segmentAfter, type JpegHeader } from './jpeg-header.js';
import { wasmDecoder } from './wasm-decoder.js';

const decode = wasmDecoder({
  script: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
  wasm: '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm',
  decoder: 'JPEGDecoder',
});

/**
 * Decodes grey, or colour interleaved by pixel.
 *
 * @param toRgb whether the components are to be transformed to RGB, or to stay what they are.
 * @throws ServiceError `pixel-data-corrupt`
 */
export async function decodeTurboJpeg(
  bytes: Uint8Array,
  header: JpegHeader,
  toRgb: boolean,
): Promise<Uint8Array> {
  try {
    return await decode(
      withEnd(header.components === 3 ? withTransform(bytes, toRgb) : bytes),
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
 * would otherwise guess from component numbers. Where there shall be none, segments that speak of one
 * go: JFIF stands for a transform, and a later Adobe segment has the last word.
 */
function withTransform(codestream: Uint8Array, toRgb: boolean): Uint8Array {
  const bytes = toRgb ? codestream : withoutSegments(codestream, telling);
  const segment = [
    0xff,
    markers.app14,
    ...[0, 14],
    ...Buffer.from('Adobe', 'latin1'),
    ...[0, 100, 0, 0, 0, 0, toRgb ? 1 : 0],
  ];
  return Buffer.concat([bytes.subarray(0, 2), Uint8Array.from(segment), bytes.subarray(2)]);
}

/** Segments that tell the colour transform. */
const telling: ReadonlySet<number> = new Set([markers.app0, markers.app14]);

/** The codestream without some segments of those that precede its first scan. */
function withoutSegments(bytes: Uint8Array, unwanted: ReadonlySet<number>): Uint8Array {
  const kept: Uint8Array[] = [];
  let start = 0;
  for (
    let segment = segmentAfter(bytes, 2);
    segment !== undefined && segment.marker !== markers.sos;
    segment = segmentAfter(bytes, segment.end)
  ) {
    if (!unwanted.has(segment.marker)) continue;
    kept.push(bytes.subarray(start, segment.start - 4));
    start = segment.end;
  }
  return Buffer.concat([...kept, bytes.subarray(start)]);
}

/** Some writers leave out the last marker, which the decoder misses even when all samples are there. */
function withEnd(bytes: Uint8Array): Uint8Array {
  return hasEndMarker(bytes) ? bytes : Buffer.concat([bytes, Uint8Array.of(0xff, markers.eoi)]);
}
