import { describe, expect, it } from '@jest/globals';
import { codedSamples } from '../../../../src/dicom/pixel/encoders/coded-samples.js';
import { frameOf, pixelsOf } from '../../../support/dicom/pixel-frames.js';

const twelveOf16 = pixelsOf({ rows: 1, columns: 3, bitsAllocated: 16, bitsStored: 12 });
const signed = { pixelRepresentation: 1 } as const;

describe('codedSamples', () => {
  it('has the precision of Bits Stored when the bits above it are zero', () => {
    expect(codedSamples(frameOf(twelveOf16, [0, 1, 0xfff]))).toMatchObject({
      precision: 12,
      samples: Uint16Array.of(0, 1, 0xfff),
    });
  });

  it('drops the extension of the sign, whether it is there or not', () => {
    const frame = frameOf({ ...twelveOf16, ...signed }, [-1, 0x0fff, 5]);
    expect(codedSamples(frame)).toMatchObject({
      precision: 12,
      samples: Uint16Array.of(0xfff, 0xfff, 5),
    });
  });

  it('keeps the whole word when the bits above Bits Stored say something', () => {
    expect(codedSamples(frameOf(twelveOf16, [0, 0x1001, 2]))).toMatchObject({
      precision: 16,
      samples: Uint16Array.of(0, 0x1001, 2),
    });
    // Ones above a positive sample are no sign.
    expect(codedSamples(frameOf({ ...twelveOf16, ...signed }, [0, 0xf001, 2])).precision).toBe(16);
  });

  it('keeps the whole word when samples are not at its low end', () => {
    const high = { ...twelveOf16, highBit: 15 };
    expect(codedSamples(frameOf(high, [0x10, 0x20, 0x30])).precision).toBe(16);
  });

  it('keeps the whole word of signed samples for codestreams that have no sign', () => {
    const frame = frameOf({ ...twelveOf16, ...signed }, [-1, 0, 1]);
    expect(codedSamples(frame, { signExtended: true })).toMatchObject({
      precision: 16,
      samples: Uint16Array.of(0xffff, 0, 1),
    });
  });

  it('has more than eight bits for words of 16, and at least what the codec knows', () => {
    const few = pixelsOf({ rows: 1, columns: 1, bitsAllocated: 16, bitsStored: 4 });
    expect(codedSamples(frameOf(few, [3]))).toMatchObject({
      precision: 9,
      samples: Uint16Array.of(3),
    });
    const bit = pixelsOf({ rows: 1, columns: 1, bitsStored: 1 });
    expect(codedSamples(frameOf(bit, [1])).precision).toBe(1);
    expect(codedSamples(frameOf(bit, [1]), { narrowest: 2 }).precision).toBe(2);
  });

  it('puts the planes of a colour frame together', () => {
    const planar = pixelsOf({ rows: 1, columns: 2, samplesPerPixel: 3, planarConfiguration: 1 });
    expect(codedSamples(frameOf(planar, [1, 2, 3, 4, 5, 6])).samples).toEqual(
      Uint8Array.of(1, 3, 5, 2, 4, 6),
    );
  });

  it('reads words at odd addresses and leaves the frame as it was', () => {
    const bytes = Uint8Array.of(0, 0x34, 0x02).subarray(1);
    const one = { ...twelveOf16, columns: 1 };
    const { samples } = codedSamples({ pixels: one, bytes });
    expect(samples).toEqual(Uint16Array.of(0x0234));
    samples[0] = 0;
    expect(bytes).toEqual(Uint8Array.of(0x34, 0x02));
  });
});
