/**
 * RLE Lossless (PS3.5 Annex G): each byte of each sample in a plane of its own, the most significant
 * first, and each row of a plane packed by itself.
 */
import type { EncodedFrame } from '../encode-frame.js';
import type { Frame, ImagePixels } from '../image-pixels.js';

/** Number of segments and 15 offsets, 32 bits each (PS3.5 §G.5). */
const headerBytes = 64;
const longestRun = 128;

/**
 * Encodes a frame of whole bytes. What it makes is of even length and planar, which Planar
 * Configuration says too (PS3.5 §G.2).
 */
export function encodeRle({ pixels, bytes }: Frame): EncodedFrame {
  const { rows, columns, samplesPerPixel } = pixels;
  const sampleBytes = pixels.bitsAllocated / 8;
  const planes = samplesPerPixel * sampleBytes;
  // A row at its worst takes one more byte for each run of 128; a segment may end in a pad byte.
  const worstRow = columns + Math.ceil(columns / longestRun);
  const output = new Uint8Array(headerBytes + planes * (rows * worstRow + 1));
  const header = new DataView(output.buffer, 0, headerBytes);
  header.setUint32(0, planes, true);

  const row = new Uint8Array(columns);
  let end = headerBytes;
  for (let plane = 0; plane < planes; plane += 1) {
    header.setUint32(4 + 4 * plane, end, true);
    const { start, pixelStep, rowStep } = layoutOf(pixels, Math.floor(plane / sampleBytes));
    const significance = sampleBytes - 1 - (plane % sampleBytes);
    for (let y = 0; y < rows; y += 1) {
      let at = start + significance + y * rowStep;
      for (let x = 0; x < columns; x += 1, at += pixelStep) row[x] = bytes[at] ?? 0;
      end = packRow(row, output, end);
    }
    if (end % 2 === 1) end += 1;
  }
  return {
    bytes: output.subarray(0, end),
    pixels: { ...pixels, planarConfiguration: samplesPerPixel > 1 ? 1 : 0 },
  };
}

/** Where one sample's plane begins in a native frame, and how far its neighbours are, in bytes. */
function layoutOf(
  { rows, columns, samplesPerPixel, planarConfiguration, bitsAllocated }: ImagePixels,
  sample: number,
): { start: number; pixelStep: number; rowStep: number } {
  const sampleBytes = bitsAllocated / 8;
  const planar = planarConfiguration === 1;
  const pixelStep = planar ? sampleBytes : sampleBytes * samplesPerPixel;
  return {
    start: sample * sampleBytes * (planar ? rows * columns : 1),
    pixelStep,
    rowStep: pixelStep * columns,
  };
}

/**
 * Packs one row as literal and replicate runs (PS3.5 §G.3.1). A pair of equal bytes inside literals
 * stays literal: breaking off for it gains nothing.
 *
 * @returns where the next row goes in `output`.
 */
function packRow(row: Uint8Array, output: Uint8Array, start: number): number {
  let end = start;
  let literals = 0;
  const flush = (until: number): void => {
    for (let from = literals; from < until; from += longestRun) {
      const piece = row.subarray(from, Math.min(until, from + longestRun));
      output[end] = piece.length - 1;
      output.set(piece, end + 1);
      end += 1 + piece.length;
    }
  };
  for (let at = 0; at < row.length;) {
    let run = 1;
    while (run < longestRun && at + run < row.length && row[at + run] === row[at]) run += 1;
    if (run > 2 || (run === 2 && literals === at)) {
      flush(at);
      output[end] = 257 - run;
      output[end + 1] = row[at] ?? 0;
      end += 2;
      literals = at + run;
    }
    at += run;
  }
  flush(row.length);
  return end;
}
