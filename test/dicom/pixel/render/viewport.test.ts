import { describe, expect, it } from '@jest/globals';
import { place } from '../../../../src/dicom/pixel/render/viewport.js';

const source = { width: 400, height: 200 };
const whole = { x: 0, y: 0, width: 400, height: 200 };
const plain = { mirrorX: false, mirrorY: false };

describe('place', () => {
  it('leaves square pixels as they are without a viewport', () => {
    expect(place(source, 1)).toEqual({ region: whole, width: 400, height: 200, ...plain });
  });

  it.each([2, 0.5])('leaves pixels of aspect %d as they are without a viewport', (aspect) => {
    expect(place(source, aspect)).toEqual({ region: whole, width: 400, height: 200, ...plain });
  });

  it.each([
    { viewport: [100, 100], size: [100, 50] },
    { viewport: [1000, 100], size: [200, 100] },
    { viewport: [800, 800], size: [800, 400] },
    { viewport: [1, 1], size: [1, 1] },
  ] as const)('fits the picture into $viewport', ({ viewport, size }) => {
    const [width, height] = viewport;
    expect(place(source, 1, { width, height })).toEqual({
      region: whole,
      width: size[0],
      height: size[1],
      ...plain,
    });
  });

  it('stretches the direction with fewer pixels to the millimetre', () => {
    const roomy = { width: 800, height: 400 };
    expect(place(source, 2, roomy)).toMatchObject({ width: 400, height: 400 });
    expect(place(source, 0.5, roomy)).toMatchObject({ width: 800, height: 200 });
    expect(place(source, 2, { width: 100, height: 100 })).toMatchObject({
      width: 100,
      height: 100,
    });
  });

  it('cuts out a region, and mirrors where its size is negative', () => {
    const viewport = { width: 50, height: 50, source: { x: 100, y: 50, width: -100, height: 100 } };
    expect(place(source, 1, viewport)).toEqual({
      region: { x: 100, y: 50, width: 100, height: 100 },
      width: 50,
      height: 50,
      mirrorX: true,
      mirrorY: false,
    });
    const edges = { width: 30, height: 30, source: { x: 100, y: 50 } };
    expect(place(source, 1, edges)).toMatchObject({
      region: { x: 100, y: 50, width: 300, height: 150 },
      width: 30,
      height: 15,
    });
  });

  it.each([
    { x: 400, y: 0 },
    { x: 0, y: 201 },
    { x: 1, y: 0, width: 400 },
    { x: 0, y: 0, width: 400, height: -201 },
    { x: 0, y: 0, width: 0 },
  ])('refuses the region %p, which is not within the picture', (region) => {
    expect(place(source, 1, { width: 10, height: 10, source: region })).toBeUndefined();
  });
});
