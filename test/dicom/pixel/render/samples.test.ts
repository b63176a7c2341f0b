import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { samplesOf } from '../../../../src/dicom/pixel/render/samples.js';
import { bytesOf, frameOf } from '../../../support/dicom/frames.js';

const listed = (samples: ArrayLike<number>) => Array.from(samples);

describe('samplesOf', () => {
  it('unpacks one-bit pixels, the least significant bit first', () => {
    const frame = frameOf([0b10000101, 0b1], { bitsAllocated: 1, columns: 9 });
    expect(listed(samplesOf(frame, 'integer', 9))).toEqual([1, 0, 1, 0, 0, 0, 0, 1, 1]);
  });

  it('extends the sign of 12 bits stored in 16', () => {
    const bytes = bytesOf(Uint16Array.of(0x07ff, 0x0800, 0x0fff, 0xf001));
    const spec = { bitsAllocated: 16, bitsStored: 12, pixelRepresentation: 1 } as const;
    expect(listed(samplesOf(frameOf(bytes, spec), 'integer', 4))).toEqual([2047, -2048, -1, 1]);
  });

  it('masks what lies beside the stored bits of unsigned pixels', () => {
    const bytes = bytesOf(Uint16Array.of(0xf001, 0x0fff));
    const low = { bitsAllocated: 16, bitsStored: 12 };
    expect(listed(samplesOf(frameOf(bytes, low), 'integer', 2))).toEqual([1, 4095]);
    const high = { ...low, highBit: 15 };
    expect(listed(samplesOf(frameOf(bytes, high), 'integer', 2))).toEqual([0xf00, 0xff]);
  });

  it('reads 32-bit integers, floats and doubles', () => {
    const whole = bytesOf(Int32Array.of(-2, 2 ** 31 - 1));
    const spec = { bitsAllocated: 32, pixelRepresentation: 1 } as const;
    expect(listed(samplesOf(frameOf(whole, spec), 'integer', 2))).toEqual([-2, 2 ** 31 - 1]);
    const unsigned = bytesOf(Uint32Array.of(2 ** 32 - 1));
    expect(listed(samplesOf(frameOf(unsigned, { bitsAllocated: 32 }), 'integer', 1))).toEqual([
      2 ** 32 - 1,
    ]);
    const floats = frameOf(bytesOf(Float32Array.of(-0.5, 1e9)), { bitsAllocated: 32 });
    expect(listed(samplesOf(floats, 'float', 2))).toEqual([-0.5, 1e9]);
    const doubles = frameOf(bytesOf(Float64Array.of(Math.PI)), { bitsAllocated: 64 });
    expect(listed(samplesOf(doubles, 'double', 1))).toEqual([Math.PI]);
  });

  it('reads wide samples from any offset in memory', () => {
    const bytes = new Uint8Array([9, 1, 0, 2, 0]).subarray(1);
    const frame = { ...frameOf([], { bitsAllocated: 16 }), bytes };
    expect(listed(samplesOf(frame, 'integer', 2))).toEqual([1, 2]);
  });

  it('refuses frames that are too short, and depths that no image has', () => {
    expect(() => samplesOf(frameOf([1, 2, 3]), 'integer', 4)).toThrow(
      expect.objectContaining({ code: 'pixel-data-corrupt' }),
    );
    expect(() => samplesOf(frameOf([1, 2, 3, 4], { bitsAllocated: 12 }), 'integer', 2)).toThrow(
      expect.objectContaining({ code: 'pixel-data-unsupported' }),
    );
  });

  it('gives back any value that fits, whatever lies in the other bits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 0xffff }),
        fc.boolean(),
        (bitsStored, noise, raw, signed) => {
          fc.pre(bitsStored < 16);
          const mask = 2 ** bitsStored - 1;
          const bits = raw & mask;
          const value = signed && bits > mask >> 1 ? bits - mask - 1 : bits;
          const word = Uint16Array.of((noise & ~mask) | bits);
          const frame = frameOf(bytesOf(word), {
            bitsAllocated: 16,
            bitsStored,
            pixelRepresentation: signed ? 1 : 0,
          });
          expect(listed(samplesOf(frame, 'integer', 1))).toEqual([value]);
        },
      ),
    );
  });
});
