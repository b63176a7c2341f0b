import { describe, expect, it } from '@jest/globals';
import { decodeBigEndian, decodeNative } from '../../../../src/dicom/pixel/decoders/native.js';
import { pixelsOf } from '../../../support/dicom/pixel-frames.js';

const ramp = (length: number) => Uint8Array.from({ length }, (_, at) => at + 1);

describe('decodeNative', () => {
  it('hands on the bytes without the padding', () => {
    const stored = pixelsOf({ rows: 1, columns: 3 });
    expect(decodeNative(ramp(4), stored)).toEqual({ pixels: stored, bytes: ramp(3) });
  });

  it('keeps planes as they are', () => {
    const stored = pixelsOf({ rows: 1, columns: 2, samplesPerPixel: 3, planarConfiguration: 1 });
    expect(decodeNative(ramp(6), stored)).toEqual({ pixels: stored, bytes: ramp(6) });
  });

  it('keeps bits above those stored', () => {
    const stored = pixelsOf({ rows: 1, columns: 1, bitsAllocated: 16, bitsStored: 12 });
    expect([...decodeNative(Uint8Array.of(0x34, 0xf2), stored).bytes]).toEqual([0x34, 0xf2]);
  });

  it('refuses a frame that is too short', () => {
    expect(() => decodeNative(ramp(3), pixelsOf({ rows: 2, columns: 2 }))).toThrow(
      expect.objectContaining({ code: 'pixel-data-corrupt' }),
    );
  });

  describe('of YBR_FULL_422', () => {
    const stored = pixelsOf({
      rows: 2,
      columns: 2,
      samplesPerPixel: 3,
      photometricInterpretation: 'YBR_FULL_422',
    });

    it('gives both pixels of a pair their chroma', () => {
      const frame = decodeNative(Uint8Array.of(10, 20, 1, 2, 30, 40, 3, 4), stored);
      expect(frame.pixels).toEqual({ ...stored, photometricInterpretation: 'YBR_FULL' });
      expect([...frame.bytes]).toEqual([10, 1, 2, 20, 1, 2, 30, 3, 4, 40, 3, 4]);
    });

    it('takes every sample where every sample is there', () => {
      const frame = decodeNative(ramp(12), stored);
      expect(frame.pixels.photometricInterpretation).toBe('YBR_FULL');
      expect(frame.bytes).toEqual(ramp(12));
    });

    it('refuses less than that', () => {
      expect(() => decodeNative(ramp(7), stored)).toThrow(
        expect.objectContaining({ code: 'pixel-data-corrupt' }),
      );
    });

    it('refuses pairs that two rows share', () => {
      expect(() => decodeNative(ramp(12), { ...stored, columns: 3 })).toThrow(
        expect.objectContaining({ code: 'pixel-data-unsupported' }),
      );
    });
  });

  it('refuses other subsampling', () => {
    const stored = pixelsOf({ samplesPerPixel: 3, photometricInterpretation: 'YBR_PARTIAL_420' });
    expect(() => decodeNative(ramp(100), stored)).toThrow(
      expect.objectContaining({ code: 'pixel-data-unsupported' }),
    );
  });
});

describe('decodeBigEndian', () => {
  it.each([
    [16, [2, 1, 4, 3, 6, 5, 8, 7]],
    [32, [4, 3, 2, 1, 8, 7, 6, 5]],
    [64, [8, 7, 6, 5, 4, 3, 2, 1]],
  ])('turns samples of %i bits round', (bitsAllocated, wanted) => {
    const stored = pixelsOf({ rows: 1, columns: 64 / bitsAllocated, bitsAllocated });
    expect([...decodeBigEndian(ramp(8), stored).bytes]).toEqual(wanted);
  });

  it('turns words round where they hold two samples', () => {
    const stored = pixelsOf({ rows: 1, columns: 4 });
    expect([...decodeBigEndian(ramp(4), stored).bytes]).toEqual([1, 2, 3, 4]);
    expect([...decodeBigEndian(ramp(4), { ...stored, pixelDataVR: 'OB' }).bytes]).toEqual([
      1, 2, 3, 4,
    ]);
    expect([...decodeBigEndian(ramp(4), { ...stored, pixelDataVR: 'OW' }).bytes]).toEqual([
      2, 1, 4, 3,
    ]);
  });

  it('does not change the payload', () => {
    const payload = ramp(2);
    decodeBigEndian(payload, pixelsOf({ rows: 1, columns: 1, bitsAllocated: 16 }));
    expect(payload).toEqual(ramp(2));
  });

  it('refuses half a word', () => {
    const stored = pixelsOf({ rows: 1, columns: 3, pixelDataVR: 'OW' });
    expect(() => decodeBigEndian(ramp(3), stored)).toThrow(
      expect.objectContaining({ code: 'pixel-data-unsupported' }),
    );
  });
});
