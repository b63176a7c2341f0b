import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeRle } from '../../../../src/dicom/pixel/encoders/rle.js';
import { anyFrame, frameOf, pixelsOf, valuesOf } from '../../../support/dicom/pixel-frames.js';

/** Unpacks the segments of an RLE frame: PS3.5 §G.3.2, and no more. */
function segmentsOf(bytes: Uint8Array): number[][] {
  const view = Buffer.from(bytes);
  const offsets = Array.from({ length: view.readUInt32LE(0) }, (_, at) =>
    view.readUInt32LE(4 + 4 * at),
  );
  return offsets.map((start, at) => {
    const packed = view.subarray(start, offsets[at + 1] ?? view.length);
    const plane: number[] = [];
    for (let from = 0; from + 1 < packed.length;) {
      const count = packed.readInt8(from);
      from += 1;
      if (count >= 0) {
        plane.push(...packed.subarray(from, from + count + 1));
        from += count + 1;
      } else if (count > -128) {
        plane.push(...new Array<number>(1 - count).fill(packed.readUInt8(from)));
        from += 1;
      }
    }
    return plane;
  });
}

function encodeRow(...bytes: number[]): number[] {
  const { bytes: encoded } = encodeRle(
    frameOf(pixelsOf({ rows: 1, columns: bytes.length }), bytes),
  );
  return [...encoded.subarray(64)];
}

describe('encodeRle', () => {
  it('writes literals with their count less one', () => {
    expect(encodeRow(1, 2, 3)).toEqual([2, 1, 2, 3]);
  });

  it('writes a run with 257 less its count, and pads to an even length', () => {
    expect(encodeRow(9, 9, 9, 9, 1)).toEqual([253, 9, 0, 1]);
    expect(encodeRow(1, 9, 9, 9, 9, 9, 2, 3)).toEqual([0, 1, 252, 9, 1, 2, 3, 0]);
  });

  it('splits runs and literals at 128', () => {
    expect(encodeRow(...new Array<number>(130).fill(7))).toEqual([129, 7, 255, 7]);
    const literals = Array.from({ length: 130 }, (_, at) => at);
    expect(encodeRow(...literals)).toEqual([
      127,
      ...literals.slice(0, 128),
      1,
      ...literals.slice(128),
    ]);
  });

  it('does not let a run cross from one row to the next', () => {
    const frame = frameOf(pixelsOf({ rows: 2, columns: 3 }), [5, 5, 5, 5, 5, 5]);
    expect([...encodeRle(frame).bytes.subarray(64)]).toEqual([254, 5, 254, 5]);
  });

  it('puts the most significant byte of each sample first, and samples one after the other', () => {
    const grey = frameOf(pixelsOf({ rows: 1, columns: 2, bitsAllocated: 16 }), [0x0102, 0x0304]);
    expect(segmentsOf(encodeRle(grey).bytes)).toEqual([
      [1, 3],
      [2, 4],
    ]);
    const colour = frameOf(
      pixelsOf({ rows: 1, columns: 2, samplesPerPixel: 3, bitsAllocated: 16 }),
      [0x0102, 0x0304, 0x0506, 0x1112, 0x1314, 0x1516],
    );
    expect(segmentsOf(encodeRle(colour).bytes)).toEqual([
      [0x01, 0x11],
      [0x02, 0x12],
      [0x03, 0x13],
      [0x04, 0x14],
      [0x05, 0x15],
      [0x06, 0x16],
    ]);
  });

  it('takes integers of 32 bits', () => {
    const frame = frameOf(pixelsOf({ rows: 1, columns: 1, bitsAllocated: 32 }), [0x01020304]);
    expect(segmentsOf(encodeRle(frame).bytes)).toEqual([[1], [2], [3], [4]]);
  });

  it('says that colour is planar, and of grey nothing new', () => {
    const colour = pixelsOf({ rows: 1, columns: 1, samplesPerPixel: 3 });
    expect(encodeRle(frameOf(colour, [1, 2, 3])).pixels).toEqual({
      ...colour,
      planarConfiguration: 1,
    });
    const grey = pixelsOf({ rows: 1, columns: 1 });
    expect(encodeRle(frameOf(grey, [1])).pixels).toEqual(grey);
  });

  it('keeps every bit of every frame, in segments of even length', () => {
    fc.assert(
      fc.property(anyFrame, (frame) => {
        const { bytes, pixels } = encodeRle(frame);
        expect(bytes.length % 2).toBe(0);
        const { rows, columns, bitsAllocated } = frame.pixels;
        const planes = segmentsOf(bytes).map((plane) => plane.slice(0, rows * columns));
        const width = bitsAllocated / 8;
        const words = planes
          .filter((_, at) => at % width === 0)
          .flatMap((high, sample) =>
            high.map((byte, at) =>
              width === 1 ? byte : byte * 256 + (planes[sample * 2 + 1]?.[at] ?? 0),
            ),
          );
        const whole = { bitsStored: bitsAllocated, highBit: bitsAllocated - 1 };
        expect(valuesOf(frameOf({ ...pixels, ...whole }, words))).toEqual(
          valuesOf({ bytes: frame.bytes, pixels: { ...frame.pixels, ...whole } }),
        );
      }),
    );
  });
});
