import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeRle } from '../../../../src/dicom/pixel/decoders/rle.js';
import { pixelsOf } from '../../../support/dicom/pixel-frames.js';

/** An RLE frame of packed segments (PS3.5 §G.5). */
function rle(segments: readonly (readonly number[])[]): Uint8Array {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(segments.length, 0);
  let start = 64;
  segments.forEach((segment, index) => {
    header.writeUInt32LE(start, 4 + index * 4);
    start += segment.length;
  });
  return Buffer.concat([header, ...segments.map((segment) => Uint8Array.from(segment))]);
}

const corrupt = expect.objectContaining({ code: 'pixel-data-corrupt' });

/** Runs as an encoder may write them, and the bytes they stand for. */
const runs = fc.array(
  fc.oneof(
    fc
      .array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 128 })
      .map((bytes) => ({ packed: [bytes.length - 1, ...bytes], bytes })),
    fc
      .tuple(fc.integer({ min: 2, max: 128 }), fc.integer({ min: 0, max: 255 }))
      .map(([count, byte]) => ({
        packed: [257 - count, byte],
        bytes: new Array<number>(count).fill(byte),
      })),
    fc.constant({ packed: [128], bytes: [] as number[] }),
  ),
  { minLength: 1, maxLength: 12 },
);

describe('decodeRle', () => {
  it('unpacks literals, repetitions and nothing', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (parts) => {
        const bytes = parts.flatMap((part) => part.bytes);
        fc.pre(bytes.length > 0);
        const frame = decodeRle(
          rle([parts.flatMap(({ packed }) => packed)]),
          pixelsOf({ rows: 1, columns: bytes.length }),
        );
        expect([...frame.bytes]).toEqual(bytes);
        await Promise.resolve();
      }),
    );
  });

  it('puts the planes of bytes together, the highest first', () => {
    const stored = pixelsOf({ rows: 1, columns: 2, bitsAllocated: 16 });
    const { bytes } = decodeRle(
      rle([
        [1, 0x12, 0x56],
        [1, 0x34, 0x78],
      ]),
      stored,
    );
    expect([...bytes]).toEqual([0x34, 0x12, 0x78, 0x56]);
  });

  it('puts the planes of colours together, pixel by pixel', () => {
    const stored = pixelsOf({ rows: 1, columns: 2, samplesPerPixel: 3, planarConfiguration: 1 });
    const frame = decodeRle(
      rle([
        [1, 1, 2],
        [1, 3, 4],
        [1, 5, 6],
      ]),
      stored,
    );
    expect(frame.pixels).toEqual({ ...stored, planarConfiguration: 0 });
    expect([...frame.bytes]).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it('unpacks samples of 32 bits', () => {
    const stored = pixelsOf({ rows: 1, columns: 1, bitsAllocated: 32 });
    const { bytes } = decodeRle(
      rle([
        [0, 1],
        [0, 2],
        [0, 3],
        [0, 4],
      ]),
      stored,
    );
    expect([...bytes]).toEqual([4, 3, 2, 1]);
  });

  it('unpacks single bits as bytes of eight', () => {
    const stored = pixelsOf({ rows: 3, columns: 3, bitsAllocated: 1 });
    expect([...decodeRle(rle([[1, 0xaa, 0x01]]), stored).bytes]).toEqual([0xaa, 0x01]);
  });

  it('leaves out what a segment holds beyond its plane', () => {
    const stored = pixelsOf({ rows: 1, columns: 3 });
    expect([...decodeRle(rle([[250, 9, 0]]), stored).bytes]).toEqual([9, 9, 9]);
    expect([...decodeRle(rle([[3, 1, 2, 3, 0]]), stored).bytes]).toEqual([1, 2, 3]);
  });

  it.each([
    ['a segment that is too short', rle([[1, 1, 2]])],
    ['literals that are not there', rle([[100, 1, 2, 3]])],
    ['a repetition of nothing', rle([[255]])],
    ['another number of segments', rle([[3, 1, 2, 3, 4], []])],
    ['a header that is cut off', rle([[3, 1, 2, 3, 4]]).subarray(0, 63)],
    ['nothing', new Uint8Array()],
  ])('refuses %s', (_, payload) => {
    expect(() => decodeRle(payload, pixelsOf({ rows: 2, columns: 2 }))).toThrow(corrupt);
  });

  it('refuses segments outside the data, within the header or in another order', () => {
    const stored = pixelsOf({ rows: 1, columns: 2, bitsAllocated: 16 });
    for (const [first, second] of [
      [64, 4_000_000_000],
      [63, 66],
      [67, 64],
    ] as const) {
      const payload = Buffer.from(
        rle([
          [1, 1, 2],
          [1, 1, 2],
        ]),
      );
      payload.writeUInt32LE(first, 4);
      payload.writeUInt32LE(second, 8);
      expect(() => decodeRle(payload, stored)).toThrow(corrupt);
    }
  });

  it('refuses more segments than a header has room for', () => {
    const stored = pixelsOf({ rows: 1, columns: 1, samplesPerPixel: 3, bitsAllocated: 64 });
    expect(() => decodeRle(rle([[0, 1]]), stored)).toThrow(
      expect.objectContaining({ code: 'pixel-data-unsupported' }),
    );
  });
});
