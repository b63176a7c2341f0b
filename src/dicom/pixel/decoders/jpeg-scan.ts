/** The scans of a Huffman-coded JPEG with the tables that are in force for each (ITU-T T.81 §B.2). */
import { corruptPixels } from '../pixel-errors.js';
import {
  byteAt,
  markers,
  segmentAfter,
  uint16,
  type JpegComponent,
  type JpegHeader,
} from './jpeg-header.js';
import {
  EntropyReader,
  huffmanTable,
  readHuffmanCodes,
  type HuffmanLengths,
  type HuffmanTable,
} from './jpeg-huffman.js';

/** A component of a scan. */
export interface ScanComponent {
  /** Its place among the components of the frame. */
  readonly index: number;
  readonly component: JpegComponent;
  readonly dc: HuffmanTable;
  /** Looked up by the sequential process; lossless scans have none. */
  readonly ac: () => HuffmanTable;
  /** Sixty-four quantization steps in zigzag order. */
  readonly quantization: () => Uint16Array;
}

export interface JpegScan {
  readonly components: readonly ScanComponent[];
  /** Ss: start of the spectral selection, or the predictor of a lossless scan. */
  readonly spectralStart: number;
  /** Al: the point transform of a lossless scan. */
  readonly pointTransform: number;
  /** Units between restart markers; 0 for none. */
  readonly restartInterval: number;
  readonly reader: EntropyReader;
}

/**
 * The scans of a codestream in order. The caller reads each to its end before it asks for the next.
 * In the processes served here every component is in one scan.
 *
 * @throws ServiceError `pixel-data-corrupt` when a component is in none, or in two.
 */
export function* jpegScans(bytes: Uint8Array, header: JpegHeader): Generator<JpegScan> {
  const codes = new Map<number, HuffmanLengths>();
  const steps = new Map<number, Uint16Array>();
  const seen = new Set<number>();
  let restartInterval = 0;
  let at = 2;
  while (seen.size < header.components) {
    const segment = segmentAfter(bytes, at);
    if (segment === undefined) {
      throw corruptPixels('The JPEG codestream ends before all its components.');
    }
    const { marker, start, end } = segment;
    at = end;
    if (marker === markers.dht) readHuffmanCodes(bytes, segment, codes);
    else if (marker === markers.dqt) readQuantization(bytes, start, end, steps);
    else if (marker === markers.dri) restartInterval = uint16(bytes, start);
    else if (marker === markers.sos) {
      const count = byteAt(bytes, start);
      if (count < 1 || count > 4 || end - start < 4 + count * 2) {
        throw corruptPixels('A scan header of the JPEG is damaged.');
      }
      const components = Array.from({ length: count }, (_, index): ScanComponent => {
        const id = byteAt(bytes, start + 1 + index * 2);
        const tables = byteAt(bytes, start + 2 + index * 2);
        const place = header.frame.findIndex((one, nth) => one.id === id && !seen.has(nth));
        const component = header.frame[place];
        if (component === undefined) {
          throw corruptPixels('A scan of the JPEG has a component that is not to come.');
        }
        seen.add(place);
        return {
          index: place,
          component,
          dc: huffmanTable(codes.get(tables >> 4)),
          ac: () => huffmanTable(codes.get(16 + (tables & 15))),
          quantization: () => quantizationOf(steps, component),
        };
      });
      const parameters = start + 1 + count * 2;
      const reader = new EntropyReader(bytes, end);
      yield {
        components,
        spectralStart: byteAt(bytes, parameters),
        pointTransform: byteAt(bytes, parameters + 2) & 15,
        restartInterval,
        reader,
      };
      at = reader.position;
    }
  }
}

function readQuantization(
  bytes: Uint8Array,
  start: number,
  end: number,
  steps: Map<number, Uint16Array>,
): void {
  let at = start;
  while (at < end) {
    const head = byteAt(bytes, at++);
    const wide = head >> 4 !== 0;
    if (at + (wide ? 128 : 64) > end) {
      throw corruptPixels('A quantization table of the JPEG is damaged.');
    }
    const table = new Uint16Array(64);
    for (let index = 0; index < 64; index++) {
      table[index] = wide ? uint16(bytes, at + index * 2) : byteAt(bytes, at + index);
    }
    steps.set(head & 15, table);
    at += wide ? 128 : 64;
  }
}

function quantizationOf(
  steps: ReadonlyMap<number, Uint16Array>,
  { quantization }: JpegComponent,
): Uint16Array {
  const table = steps.get(quantization);
  if (table === undefined) throw corruptPixels('The JPEG codestream lacks a quantization table.');
  return table;
}
