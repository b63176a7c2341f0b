import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { paletteColors, rgbOf } from '../../../../src/dicom/pixel/render/color.js';
import { bytesOf, frameOf } from '../../../support/dicom/frames.js';

const rgb = { samplesPerPixel: 3, photometricInterpretation: 'RGB' } as const;
const colors = (...parameters: Parameters<typeof frameOf>) =>
  Array.from(rgbOf(frameOf(...parameters)));

describe('rgbOf', () => {
  it('reads RGB by pixel and by plane', () => {
    const pixels = { ...rgb, columns: 2 };
    expect(colors([1, 2, 3, 4, 5, 6], pixels)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(colors([1, 4, 2, 5, 3, 6], { ...pixels, planarConfiguration: 1 })).toEqual([
      1, 2, 3, 4, 5, 6,
    ]);
  });

  it('reduces 16 and 12 bits to 8', () => {
    const bytes = bytesOf(Uint16Array.of(65535, 257, 0));
    expect(colors(bytes, { ...rgb, columns: 1, bitsAllocated: 16 })).toEqual([255, 1, 0]);
    const twelve = bytesOf(Uint16Array.of(4095, 2048, 0));
    expect(colors(twelve, { ...rgb, columns: 1, bitsAllocated: 16, bitsStored: 12 })).toEqual([
      255, 128, 0,
    ]);
  });

  // The primaries in CCIR 601, rounded to whole numbers.
  it.each([
    { color: 'red', ybr: [76, 85, 255], expected: [254, 0, 0] },
    { color: 'green', ybr: [150, 44, 21], expected: [0, 255, 1] },
    { color: 'blue', ybr: [29, 255, 107], expected: [0, 0, 254] },
    { color: 'grey', ybr: [77, 128, 128], expected: [77, 77, 77] },
  ])('converts YBR_FULL $color', ({ ybr, expected }) => {
    const full = { ...rgb, photometricInterpretation: 'YBR_FULL', columns: 1 };
    expect(colors(ybr, full)).toEqual(expected);
  });

  it('converts YBR_PARTIAL_422 from its narrower range', () => {
    const partial = { ...rgb, photometricInterpretation: 'YBR_PARTIAL_422', columns: 2 };
    expect(colors([16, 128, 128, 235, 128, 128], partial)).toEqual([0, 0, 0, 255, 255, 255]);
  });

  it.each(['YBR_RCT', 'YBR_ICT'])('takes what a decoder leaves under %s as RGB', (name) => {
    const decoded = { ...rgb, photometricInterpretation: name, columns: 1 };
    expect(colors([9, 8, 7], decoded)).toEqual([9, 8, 7]);
  });

  it('keeps grey grey, whatever its level', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (level) => {
        const full = { ...rgb, photometricInterpretation: 'YBR_FULL', columns: 1 };
        expect(colors([level, 128, 128], full)).toEqual([level, level, level]);
      }),
    );
  });

  it('refuses colour models that it does not know, and frames that are too short', () => {
    const hsv = { ...rgb, photometricInterpretation: 'HSV', columns: 1 };
    expect(() => colors([1, 2, 3], hsv)).toThrow(
      expect.objectContaining({ code: 'pixel-data-unsupported' }),
    );
    expect(() => colors([1, 2], { ...rgb, columns: 1 })).toThrow(
      expect.objectContaining({ code: 'pixel-data-corrupt' }),
    );
  });
});

describe('paletteColors', () => {
  it('gives indexes beyond the ends the first and last colour', () => {
    const palette = {
      first: 10,
      red: Uint8Array.of(1, 2, 3),
      green: Uint8Array.of(11, 12, 13),
      blue: Uint8Array.of(21, 22, 23),
    };
    expect(Array.from(paletteColors(Uint8Array.of(0, 10, 11, 12, 200), palette))).toEqual([
      1, 11, 21, 1, 11, 21, 2, 12, 22, 3, 13, 23, 3, 13, 23,
    ]);
  });
});
