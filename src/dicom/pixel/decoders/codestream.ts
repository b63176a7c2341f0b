/**
 * What codestreams have in common: a header that is held against the data set before anything is
 * decoded, and decoded samples that become a frame.
 */
import type { Frame, ImagePixels } from '../image-pixels.js';
import { corruptPixels, refuseLargeFrame, unsupportedPixels } from '../pixel-errors.js';
import type { PixelLimits } from '../pixel-limits.js';

/** What a codestream's own header says of its picture. */
export interface CodestreamSize {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  /** Bits of one sample. */
  readonly precision: number;
}

/** Samples out of a codec: one byte each up to a precision of 8, otherwise two, little endian. */
export interface DecodedSamples {
  readonly bytes: Uint8Array;
  readonly precision: number;
  readonly photometricInterpretation: string;
  readonly planarConfiguration: 0 | 1;
}

/** The most bits that the decoders give a sample. */
const deepest = 16;

/**
 * Holds a codestream against its data set and the limits. Nothing of the size that the codestream
 * claims has been allocated by then.
 *
 * @throws ServiceError `pixel-data-corrupt`, `pixel-data-unsupported`, `pixel-data-too-large`.
 */
export function checkSize(size: CodestreamSize, stored: ImagePixels, limits: PixelLimits): void {
  const { rows, columns, components, precision } = size;
  if (rows !== stored.rows || columns !== stored.columns) {
    throw corruptPixels(
      `The codestream has ${rows} rows and ${columns} columns, the data set ${stored.rows} and ${stored.columns}.`,
    );
  }
  if (components !== stored.samplesPerPixel) {
    throw corruptPixels(
      `The codestream has ${components} samples per pixel, the data set ${stored.samplesPerPixel}.`,
    );
  }
  if (precision < 1 || precision > deepest) {
    throw unsupportedPixels(`Codestreams of ${precision} bits per sample cannot be decoded.`);
  }
  const bitsAllocated = containerBits(precision, stored);
  refuseLargeFrame({ rows, columns, samplesPerPixel: components, bitsAllocated }, limits);
}

/** Bytes that a codec gives a sample of this precision. */
export function sampleBytes(precision: number): 1 | 2 {
  return precision > 8 ? 2 : 1;
}

/**
 * Puts decoded samples into the cells that the data set describes. Cells are as wide as Bits
 * Allocated says, or wider where the codestream needs it. Bits above the codestream's precision are
 * copies of the sign in signed data and 0 otherwise; bits below are left alone.
 *
 * @throws ServiceError `pixel-data-corrupt` when samples are missing.
 */
export function frameOfSamples(decoded: DecodedSamples, stored: ImagePixels): Frame {
  const { precision, photometricInterpretation, planarConfiguration } = decoded;
  const bitsAllocated = containerBits(precision, stored);
  const count = stored.rows * stored.columns * stored.samplesPerPixel;
  const expected = count * sampleBytes(precision);
  if (decoded.bytes.length !== expected) {
    throw corruptPixels(
      `The codestream decodes to ${decoded.bytes.length} bytes where ${expected} are expected.`,
    );
  }
  const bitsStored =
    precision > stored.bitsAllocated ? precision : Math.min(stored.bitsStored, bitsAllocated);
  const pixels: ImagePixels = {
    ...stored,
    photometricInterpretation,
    planarConfiguration,
    bitsAllocated,
    bitsStored,
    // A codestream holds its samples from bit 0; only one as deep as High Bit can hold them higher.
    highBit: stored.highBit < precision ? Math.max(stored.highBit, bitsStored - 1) : bitsStored - 1,
  };
  const cells = widen(decoded.bytes, sampleBytes(precision), bitsAllocated / 8);
  fillSpareBits(cells, bitsAllocated, precision, stored.pixelRepresentation === 1);
  return { pixels, bytes: cells };
}

/** Widens a sample's bits to a number with a sign. */
export function signExtended(word: number, bits: number): number {
  const spare = 32 - bits;
  return (word << spare) >> spare;
}

function containerBits(precision: number, stored: ImagePixels): 8 | 16 {
  return precision > 8 || stored.bitsAllocated > 8 ? 16 : 8;
}

function widen(bytes: Uint8Array, from: number, to: number): Uint8Array {
  if (from >= to) return bytes;
  const wide = new Uint8Array(bytes.length * 2);
  for (let at = 0; at < bytes.length; at++) wide[at * 2] = bytes[at] ?? 0;
  return wide;
}

function fillSpareBits(
  cells: Uint8Array,
  bitsAllocated: number,
  precision: number,
  signed: boolean,
): void {
  if (precision >= bitsAllocated) return;
  const mask = (1 << precision) - 1;
  const fill = (word: number) => (signed ? signExtended(word, precision) : word & mask);
  if (bitsAllocated === 8) {
    for (let at = 0; at < cells.length; at++) cells[at] = fill(cells[at] ?? 0);
    return;
  }
  for (let at = 0; at + 1 < cells.length; at += 2) {
    const word = fill((cells[at] ?? 0) | ((cells[at + 1] ?? 0) << 8));
    cells[at] = word;
    cells[at + 1] = word >> 8;
  }
}
