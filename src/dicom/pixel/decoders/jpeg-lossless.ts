/** The lossless process of JPEG with Huffman coding (ITU-T T.81 §H), of 2 to 16 bits. */
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';
import type { JpegHeader } from './jpeg-header.js';
import { jpegScans, type JpegScan } from './jpeg-scan.js';

/** Predicts a sample from its neighbours: left, above, above left (T.81 table H.1). */
type Predictor = (a: number, b: number, c: number) => number;

const predictors: readonly (Predictor | undefined)[] = [
  undefined,
  (a) => a,
  (_, b) => b,
  (_, __, c) => c,
  (a, b, c) => a + b - c,
  (a, b, c) => a + ((b - c) >> 1),
  (a, b, c) => b + ((a - c) >> 1),
  (a, b) => (a + b) >> 1,
];

/**
 * Decodes every component, colour interleaved by pixel.
 *
 * @returns samples of the codestream's precision.
 * @throws ServiceError `pixel-data-corrupt`, `pixel-data-unsupported`.
 */
export function decodeLosslessJpeg(bytes: Uint8Array, header: JpegHeader): Uint16Array {
  if (header.precision < 2) throw corruptPixels('Lossless JPEG has 2 bits per sample at least.');
  if (header.frame.some(({ horizontal, vertical }) => horizontal !== 1 || vertical !== 1)) {
    // With one component the factors mean nothing.
    if (header.components > 1) throw unsupportedPixels('Lossless JPEG with subsampled components.');
  }
  const samples = new Uint16Array(header.rows * header.columns * header.components);
  for (const scan of jpegScans(bytes, header)) readScan(scan, header, samples);
  return samples;
}

function readScan(scan: JpegScan, header: JpegHeader, samples: Uint16Array): void {
  const { rows, columns, components: stride, precision } = header;
  const { components, pointTransform, reader, restartInterval } = scan;
  const predict = predictors[scan.spectralStart];
  if (predict === undefined || pointTransform >= precision) {
    throw corruptPixels('A scan of the lossless JPEG has no valid predictor.');
  }
  if (restartInterval % columns !== 0) {
    throw corruptPixels('A restart interval of the lossless JPEG is no number of rows.');
  }
  const restartRows = restartInterval / columns;
  const start = 1 << (precision - pointTransform - 1);
  const above = stride * columns;
  let firstRow = 0;
  for (let row = 0; row < rows; row++) {
    if (restartRows > 0 && row > 0 && row % restartRows === 0) {
      reader.restart(row / restartRows - 1);
      firstRow = row;
    }
    for (let column = 0; column < columns; column++) {
      for (const { index, dc } of components) {
        const at = (row * columns + column) * stride + index;
        const a = column === 0 ? 0 : (samples[at - stride] ?? 0);
        const b = row === firstRow ? 0 : (samples[at - above] ?? 0);
        const c = column === 0 || row === firstRow ? 0 : (samples[at - above - stride] ?? 0);
        const predicted =
          row === firstRow ? (column === 0 ? start : a) : column === 0 ? b : predict(a, b, c);
        const size = reader.code(dc);
        if (size > 16) throw corruptPixels('The lossless JPEG has a difference of over 16 bits.');
        samples[at] = predicted + (size === 16 ? 32_768 : reader.difference(size));
      }
    }
  }
  if (pointTransform === 0) return;
  for (const { index } of components) {
    for (let at = index; at < samples.length; at += stride) {
      samples[at] = (samples[at] ?? 0) << pointTransform;
    }
  }
}
