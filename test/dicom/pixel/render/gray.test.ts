import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { grays, lookUp, windowCurve } from '../../../../src/dicom/pixel/render/gray.js';
import type { WindowShape } from '../../../../src/dicom/pixel/render/presentation.js';
import { presentation } from '../../../support/dicom/frames.js';

const shapes: readonly WindowShape[] = ['LINEAR', 'LINEAR_EXACT', 'SIGMOID'];

describe('windowCurve', () => {
  // The examples of PS3.3 §C.11.2.1.2.1, which map to 0…255.
  it.each([
    { center: 2048, width: 4096, black: 0, white: 4095 },
    { center: 2048, width: 1, black: 2047, white: 2048 },
    { center: 0, width: 100, black: -50, white: 49 },
    { center: 0, width: 1, black: -1, white: 0 },
  ])('LINEAR: center $center, width $width', ({ center, width, black, white }) => {
    const curve = windowCurve({ center, width, shape: 'LINEAR' });
    expect([curve(black), curve(white)]).toEqual([0, 1]);
    expect([curve(black - 1), curve(white + 1)]).toEqual([0, 1]);
    if (width > 1) {
      expect(curve(black + 1)).toBeGreaterThan(0);
      expect(curve(white - 1)).toBeLessThan(1);
    }
  });

  it('LINEAR_EXACT ends half a width on either side of the center', () => {
    const curve = windowCurve({ center: 10, width: 4, shape: 'LINEAR_EXACT' });
    expect([7, 8, 9, 10, 11, 12, 13].map(curve)).toEqual([0, 0, 0.25, 0.5, 0.75, 1, 1]);
  });

  it('SIGMOID is half at the center and 1/(1+e^-4) a width above it', () => {
    const curve = windowCurve({ center: 10, width: 4, shape: 'SIGMOID' });
    expect(curve(10)).toBe(0.5);
    expect(curve(14)).toBeCloseTo(1 / (1 + Math.exp(-4)), 12);
  });

  it.each(shapes)('%s never falls and stays between 0 and 1', (shape) => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5000, max: 5000 }),
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: -9000, max: 9000 }),
        fc.integer({ min: 0, max: 9000 }),
        (center, width, value, more) => {
          const curve = windowCurve({ center, width, shape });
          const [low, high] = [curve(value), curve(value + more)];
          expect(low).toBeGreaterThanOrEqual(0);
          expect(high).toBeLessThanOrEqual(1);
          expect(high).toBeGreaterThanOrEqual(low);
        },
      ),
    );
  });
});

describe('lookUp', () => {
  it('gives values beyond the ends the first and last entry', () => {
    const table = { first: -1, bits: 8, entries: Uint16Array.of(10, 20, 30) };
    expect([-9, -1, 0, 1, 9].map((value) => lookUp(table, value))).toEqual([10, 10, 20, 30, 30]);
  });
});

describe('grays', () => {
  const shown = (...parameters: Parameters<typeof grays>) => Array.from(grays(...parameters));

  it('spreads what is there over all greys when no window is known', () => {
    expect(shown(Int16Array.of(-100, 0, 100), presentation())).toEqual([0, 128, 255]);
  });

  it('applies rescale, then the window', () => {
    const window = { center: 0, width: 2001, shape: 'LINEAR' } as const;
    const ct = presentation({
      modality: { kind: 'rescale', slope: 2, intercept: -1000 },
      voi: { kind: 'window', window },
    });
    // 0 → -1000: (-1000 + 0.5) / 2000 + 0.5 = 0.00025; 500 → 0: 0.50025; 1000 → 1000: above 999.5.
    expect(shown(Uint16Array.of(0, 500, 1000), ct)).toEqual([0, 128, 255]);
  });

  it('applies a modality table, then a VOI table, whose output is scaled by its bits', () => {
    const modality = {
      kind: 'lut',
      table: { first: 0, bits: 16, entries: Uint16Array.of(1000, 1001, 1002) },
    } as const;
    const voi = {
      kind: 'lut',
      table: { first: 1000, bits: 12, entries: Uint16Array.of(0, 2048, 4095) },
    } as const;
    expect(shown(Uint8Array.of(0, 1, 2, 3), presentation({ modality, voi }))).toEqual([
      0, 128, 255, 255,
    ]);
  });

  it('takes the window of a request instead', () => {
    const voi = {
      kind: 'window',
      window: { center: 0, width: 1, shape: 'LINEAR' },
    } as const;
    const asked = { center: 50, width: 100, shape: 'LINEAR_EXACT' } as const;
    expect(shown(Uint8Array.of(0, 50, 100), presentation({ voi }), asked)).toEqual([0, 128, 255]);
  });

  it('shows padding black and leaves it out of the range, inverse or not', () => {
    const samples = Int16Array.of(-2000, -1990, 0, 10);
    const padding = { from: -2000, to: -1990 };
    expect(shown(samples, presentation({ padding }))).toEqual([0, 0, 0, 255]);
    expect(shown(samples, presentation({ padding, inverse: true }))).toEqual([0, 0, 255, 0]);
  });

  it('renders a frame of one value, and of padding alone, as black', () => {
    expect(shown(Uint8Array.of(7, 7), presentation())).toEqual([0, 0]);
    expect(shown(Uint8Array.of(7, 7), presentation({ padding: { from: 7, to: 7 } }))).toEqual([
      0, 0,
    ]);
  });

  it('shows floats, and what is no number black', () => {
    const samples = Float32Array.of(Number.NaN, -0.5, 0, 0.5, Number.POSITIVE_INFINITY);
    expect(shown(samples, presentation({ samples: 'float' }))).toEqual([0, 0, 128, 255, 255]);
  });

  it('shows 32-bit values whose range is too wide for a table as it shows narrow ones', () => {
    const window = { center: 0, width: 2 ** 31, shape: 'LINEAR_EXACT' } as const;
    const wide = Int32Array.of(-(2 ** 31), -(2 ** 29), 0, 2 ** 29, 2 ** 31 - 1);
    const voi = { kind: 'window', window } as const;
    expect(shown(wide, presentation({ voi }))).toEqual([0, 64, 128, 191, 255]);
  });

  it('gives the greys of the curve to every 16-bit value', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -32768, max: 32767 }), { minLength: 1, maxLength: 50 }),
        fc.integer({ min: -2000, max: 2000 }),
        fc.integer({ min: 1, max: 4000 }),
        fc.constantFrom(...shapes),
        fc.boolean(),
        (values, center, width, shape, inverse) => {
          const window = { center, width, shape };
          const curve = windowCurve(window);
          const expected = values
            .map((value) => curve(value * 0.5 + 7))
            .map((share) => Math.round(255 * (inverse ? 1 - share : share)));
          const modality = { kind: 'rescale', slope: 0.5, intercept: 7 } as const;
          const voi = { kind: 'window', window } as const;
          expect(shown(Int16Array.from(values), presentation({ modality, voi, inverse }))).toEqual(
            expected,
          );
        },
      ),
    );
  });
});
