/**
 * The sequential DCT process of JPEG with Huffman coding (ITU-T T.81 §F), for samples of 12 bits, which
 * no codec package decodes.
 */
import { corruptPixels } from '../pixel-errors.js';
import { inverseDct } from './inverse-dct.js';
import type { JpegHeader } from './jpeg-header.js';
import type { EntropyReader, HuffmanTable } from './jpeg-huffman.js';
import { jpegScans, type JpegScan } from './jpeg-scan.js';

/** Place of each coefficient in zigzag order (T.81 figure A.6). */
const zigzag = makeZigzag();

/** One component's samples, padded to whole blocks of its scan. */
interface Plane {
  readonly samples: Uint16Array;
  readonly width: number;
  readonly height: number;
  readonly horizontal: number;
  readonly vertical: number;
}

/**
 * Decodes every component to full resolution, interleaved by pixel. Subsampled components are
 * repeated.
 *
 * @returns samples of the codestream's precision.
 * @throws ServiceError `pixel-data-corrupt`
 */
export function decodeDctJpeg(bytes: Uint8Array, header: JpegHeader): Uint16Array {
  const { rows, columns, components, frame } = header;
  if (frame.some(({ horizontal: h, vertical: v }) => h < 1 || h > 4 || v < 1 || v > 4)) {
    throw corruptPixels('The JPEG frame header has impossible sampling factors.');
  }
  const most = {
    horizontal: Math.max(...frame.map(({ horizontal }) => horizontal)),
    vertical: Math.max(...frame.map(({ vertical }) => vertical)),
  };
  const unitColumns = Math.ceil(columns / (8 * most.horizontal));
  const unitRows = Math.ceil(rows / (8 * most.vertical));
  const planes = frame.map(({ horizontal, vertical }): Plane => {
    const width = unitColumns * horizontal * 8;
    const height = unitRows * vertical * 8;
    return { samples: new Uint16Array(width * height), width, height, horizontal, vertical };
  });
  for (const scan of jpegScans(bytes, header)) {
    const single = scan.components.length === 1;
    readScan(scan, planes, header.precision, (plane) =>
      // A scan of one component has no units of several blocks (T.81 §A.2.2).
      single
        ? {
            columns: Math.ceil((columns * plane.horizontal) / most.horizontal / 8),
            rows: Math.ceil((rows * plane.vertical) / most.vertical / 8),
            blocks: [1, 1],
          }
        : { columns: unitColumns, rows: unitRows, blocks: [plane.horizontal, plane.vertical] },
    );
  }
  const samples = new Uint16Array(rows * columns * components);
  planes.forEach((plane, component) => {
    const across = plane.horizontal / most.horizontal;
    const down = plane.vertical / most.vertical;
    for (let row = 0, at = component; row < rows; row++) {
      const line = Math.floor(row * down) * plane.width;
      for (let column = 0; column < columns; column++, at += components) {
        samples[at] = plane.samples[line + Math.floor(column * across)] ?? 0;
      }
    }
  });
  return samples;
}

interface Units {
  readonly columns: number;
  readonly rows: number;
  /** Blocks of the component in one unit, across and down. */
  readonly blocks: readonly [number, number];
}

function readScan(
  scan: JpegScan,
  planes: readonly Plane[],
  precision: number,
  unitsOf: (plane: Plane) => Units,
): void {
  const parts = scan.components.map((component) => {
    const plane = planes[component.index];
    if (plane === undefined) throw corruptPixels('A scan of the JPEG has an unknown component.');
    const { dc } = component;
    const ac = component.ac();
    return { plane, units: unitsOf(plane), dc, ac, steps: component.quantization(), last: 0 };
  });
  const [first] = parts;
  if (first === undefined) return;
  const { reader, restartInterval } = scan;
  const coefficients = new Float64Array(64);
  const middle = 2 ** (precision - 1);
  const most = 2 ** precision - 1;
  const count = first.units.columns * first.units.rows;
  for (let unit = 0; unit < count; unit++) {
    if (restartInterval > 0 && unit > 0 && unit % restartInterval === 0) {
      reader.restart(unit / restartInterval - 1);
      for (const part of parts) part.last = 0;
    }
    for (const part of parts) {
      const [across, down] = part.units.blocks;
      const left = (unit % part.units.columns) * across;
      const top = Math.floor(unit / part.units.columns) * down;
      for (let block = 0; block < across * down; block++) {
        part.last += readBlock(reader, part, coefficients);
        coefficients[0] = part.last * (part.steps[0] ?? 0);
        const column = (left + (block % across)) * 8;
        const row = (top + Math.floor(block / across)) * 8;
        const { samples, width } = part.plane;
        inverseDct(coefficients, (index, value) => {
          const sample = Math.min(most, Math.max(0, Math.round(value + middle)));
          samples[(row + (index >> 3)) * width + column + (index & 7)] = sample;
        });
      }
    }
  }
}

/** Reads the AC coefficients of a block, dequantized; returns the difference of its DC. */
function readBlock(
  reader: EntropyReader,
  part: { readonly dc: HuffmanTable; readonly ac: HuffmanTable; readonly steps: Uint16Array },
  coefficients: Float64Array,
): number {
  coefficients.fill(0);
  const size = reader.code(part.dc);
  if (size > 16) throw corruptPixels('The JPEG data has a difference of over 16 bits.');
  const difference = reader.difference(size);
  for (let index = 1; index < 64; index++) {
    const code = reader.code(part.ac);
    const length = code & 15;
    if (length === 0) {
      // End of block, or sixteen zeros.
      if (code >> 4 !== 15) break;
      index += 15;
      continue;
    }
    index += code >> 4;
    if (index > 63) throw corruptPixels('A block of the JPEG has too many coefficients.');
    coefficients[zigzag[index] ?? 0] = reader.difference(length) * (part.steps[index] ?? 0);
  }
  return difference;
}

function makeZigzag(): readonly number[] {
  const cells = Array.from({ length: 64 }, (_, index) => [index >> 3, index & 7] as const);
  const order = ([row, column]: readonly [number, number]) => {
    const diagonal = row + column;
    return diagonal * 8 + (diagonal % 2 === 0 ? column : row);
  };
  return cells.sort((a, b) => order(a) - order(b)).map(([row, column]) => row * 8 + column);
}
