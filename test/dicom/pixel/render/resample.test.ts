import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Picture } from '../../../../src/dicom/pixel/render/picture.js';
import { resample } from '../../../../src/dicom/pixel/render/resample.js';
import { place, type Viewport } from '../../../../src/dicom/pixel/render/viewport.js';

function picture(width: number, ...data: readonly number[]): Picture {
  return { width, height: data.length / width, channels: 1, data: Uint8Array.from(data) };
}

function scaled(source: Picture, viewport: Viewport): number[] {
  const placement = place(source, 1, viewport);
  if (placement === undefined) throw new Error('not within the picture');
  return Array.from(resample(source, placement).data);
}

describe('resample', () => {
  it('takes the mean of the area that a pixel covers', () => {
    const source = picture(4, 0, 100, 200, 200, 100, 200, 0, 0);
    expect(scaled(source, { width: 2, height: 1 })).toEqual([100, 100]);
    expect(scaled(picture(3, 0, 90, 240), { width: 2, height: 1 })).toEqual([30, 190]);
  });

  it('draws lines between neighbours where pixels grow', () => {
    expect(scaled(picture(2, 0, 100), { width: 4, height: 2 })).toEqual([
      0, 25, 75, 100, 0, 25, 75, 100,
    ]);
  });

  it('mirrors, and cuts', () => {
    const source = picture(3, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    const all = { x: 0, y: 0, width: 3, height: 3 };
    const shown = (region: Partial<typeof all>) =>
      scaled(source, { width: 3, height: 3, source: { ...all, ...region } });
    expect(shown({ width: -3 })).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7]);
    expect(shown({ height: -3 })).toEqual([7, 8, 9, 4, 5, 6, 1, 2, 3]);
    expect(
      scaled(source, { width: 2, height: 2, source: { ...all, x: 1, y: 1, width: 2, height: 2 } }),
    ).toEqual([5, 6, 8, 9]);
  });

  it('keeps channels apart', () => {
    const source: Picture = {
      width: 2,
      height: 1,
      channels: 3,
      data: Uint8Array.of(0, 10, 20, 100, 110, 120),
    };
    expect(scaled(source, { width: 1, height: 1 })).toEqual([50, 60, 70]);
  });

  it('keeps a plain picture plain, whatever the sizes', () => {
    const side = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (width, height, toWidth, toHeight, level, mirrored) => {
          const source = picture(width, ...new Array<number>(width * height).fill(level));
          const region = { x: 0, y: 0, width: mirrored ? -width : width };
          const data = scaled(source, { width: toWidth, height: toHeight, source: region });
          expect(new Set(data)).toEqual(new Set([level]));
        },
      ),
    );
  });

  it('stays within the least and greatest value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 }),
        fc.integer({ min: 1, max: 30 }),
        (data, side) => {
          const result = scaled(picture(4, ...data), { width: side, height: side });
          expect(Math.min(...result)).toBeGreaterThanOrEqual(Math.min(...data));
          expect(Math.max(...result)).toBeLessThanOrEqual(Math.max(...data));
        },
      ),
    );
  });
});
