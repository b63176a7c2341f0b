/**
 * JPEG Lossless, first-order prediction (ISO/IEC 10918-1 process 14, selection value 1; PS3.5 §8.2.1):
 * each sample is predicted by its left neighbour, and the differences are Huffman coded with a table
 * made for this frame.
 */
import type { EncodedFrame } from '../encode-frame.js';
import type { Frame } from '../image-pixels.js';
import { BitWriter } from './bit-writer.js';
import { type CodedSamples, codedSamples } from './coded-samples.js';
import { type HuffmanCode, huffmanCode } from './huffman-code.js';

const marker = { SOI: 0xd8, SOF3: 0xc3, DHT: 0xc4, SOS: 0xda, EOI: 0xd9, APP14: 0xee };
/** Differences are of 0 to 16 bits (table H.2). */
const categories = 17;

/** Component identifiers: letters tell readers of the codestream alone that it is RGB. */
const rgbComponents = [0x52, 0x47, 0x42];
const plainComponents = [1, 2, 3];

/** Encodes 8 or 16 bits allocated, one or three samples; Planar Configuration becomes 0. */
export function encodeJpegLossless(frame: Frame): EncodedFrame {
  const coded = codedSamples(frame, { narrowest: 2, signExtended: true });
  const rgb = frame.pixels.photometricInterpretation === 'RGB';
  const components = (rgb ? rgbComponents : plainComponents).slice(0, coded.components);

  const differences = predictionDifferences(coded);
  const code = huffmanCode(countCategories(differences));
  const header = [
    0xff,
    marker.SOI,
    ...(rgb ? segment(marker.APP14, [...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, 0]) : []),
    ...segment(marker.SOF3, [
      coded.precision,
      ...uint16(coded.rows),
      ...uint16(coded.columns),
      components.length,
      ...components.flatMap((id) => [id, 0x11, 0]),
    ]),
    ...segment(marker.DHT, [0, ...code.lengthCounts, ...code.symbols]),
    ...segment(marker.SOS, [
      components.length,
      ...components.flatMap((id) => [id, 0]),
      1, // the predictor
      0,
      0,
    ]),
  ];
  return {
    bytes: entropyCoded(header, differences, code),
    pixels: { ...frame.pixels, planarConfiguration: 0 },
  };
}

/**
 * What remains of each sample after prediction, modulo 2^16 as two's complement (§H.1.2.1). The first
 * row is predicted from the left, the first column from above, the first sample as half the range.
 */
function predictionDifferences(coded: CodedSamples): Int16Array {
  const { columns, rows, components, precision, samples } = coded;
  const stride = columns * components;
  const differences = new Int16Array(stride * rows);
  for (let at = 0; at < differences.length; at += 1) {
    const inRow = at % stride;
    const prediction =
      inRow >= components
        ? samples[at - components]
        : at >= stride
          ? samples[at - stride]
          : 2 ** (precision - 1);
    differences[at] = (samples[at] ?? 0) - (prediction ?? 0);
  }
  return differences;
}

/** Bits that the magnitude of a difference takes; 16 for the one that has no positive twin. */
function categoryOf(difference: number): number {
  return 32 - Math.clz32(difference < 0 ? -difference : difference);
}

function countCategories(differences: Int16Array): number[] {
  const counts = new Array<number>(categories).fill(0);
  for (const difference of differences) {
    const category = categoryOf(difference);
    counts[category] = (counts[category] ?? 0) + 1;
  }
  return counts;
}

function entropyCoded(
  header: readonly number[],
  differences: Int16Array,
  { codes, lengths }: HuffmanCode,
): Uint8Array {
  const writer = new BitWriter(header, differences.length * 2);
  for (const difference of differences) {
    const category = categoryOf(difference);
    writer.write(codes[category] ?? 0, lengths[category] ?? 0);
    // Category 16 is one value, and nothing follows it (§H.1.2.2). Negative ones are sent less one.
    if (category > 0 && category < 16) {
      const bits = difference < 0 ? difference - 1 : difference;
      writer.write(bits & (2 ** category - 1), category);
    }
  }
  return writer.finish([0xff, marker.EOI]);
}

function segment(code: number, payload: readonly number[]): number[] {
  return [0xff, code, ...uint16(payload.length + 2), ...payload];
}

function uint16(value: number): [number, number] {
  return [value >> 8, value & 0xff];
}
