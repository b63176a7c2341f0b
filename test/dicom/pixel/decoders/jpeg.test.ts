import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeJpeg } from '../../../../src/dicom/pixel/decoders/jpeg.js';
import { encodeJpegBaseline } from '../../../../src/dicom/pixel/encoders/jpeg-baseline.js';
import type { ImagePixels } from '../../../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../../../src/dicom/pixel/pixel-limits.js';
import {
  adobe,
  dctJpeg,
  jfif,
  losslessJpeg,
  segment,
  type JpegPlane,
  type JpegSpec,
} from '../../../support/dicom/jpeg-builder.js';
import { frameOf, picture, pixelsOf, valuesOf } from '../../../support/dicom/pixel-frames.js';

async function decode(bytes: Uint8Array, stored: ImagePixels) {
  return await decodeJpeg(bytes, stored, defaultPixelLimits);
}

/** Planes of one size, with a wave across each that differs from plane to plane. */
function waves(count: number, width: number, height: number, most: number): JpegPlane[] {
  return Array.from({ length: count }, (_, plane) => ({
    id: plane + 1,
    width,
    height,
    samples: Array.from({ length: width * height }, (__, at) => {
      const [row, column] = [Math.floor(at / width), at % width];
      const wave = Math.sin(row / 5 + plane) + Math.cos(column / 7 - plane);
      return Math.round(((wave + 2) / 4) * most);
    }),
  }));
}

function interleaved(planes: readonly JpegPlane[]): number[] {
  const [first] = planes;
  return (first?.samples ?? []).flatMap((_, at) => planes.map(({ samples }) => samples[at] ?? 0));
}

function farthest(values: readonly number[], wanted: readonly number[]): number {
  expect(values).toHaveLength(wanted.length);
  return Math.max(...values.map((value, at) => Math.abs(value - (wanted[at] ?? 0))));
}

/** Where three components are the same everywhere: Y, Cb and Cr, or R, G and B. */
function flat(samples: readonly [number, number, number], ids = [1, 2, 3]): JpegPlane[] {
  return samples.map((sample, at) => ({
    id: ids[at] ?? 0,
    width: 8,
    height: 8,
    samples: new Array<number>(64).fill(sample),
  }));
}

describe('decodeJpeg', () => {
  describe('of 12 bits with losses', () => {
    const twelve = pixelsOf({ rows: 21, columns: 35, bitsAllocated: 16, bitsStored: 12 });
    const spec: JpegSpec = {
      precision: 12,
      rows: 21,
      columns: 35,
      planes: waves(1, 35, 21, 4095),
    };

    it('decodes grey to the nearest value', async () => {
      const frame = await decode(dctJpeg(spec), twelve);
      expect(frame.pixels).toEqual(twelve);
      expect(farthest(valuesOf(frame), spec.planes[0]?.samples ?? [])).toBeLessThanOrEqual(1);
    });

    it('decodes noise over the whole range', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 0, max: 4095 }), { minLength: 64, maxLength: 64 }),
          async (samples) => {
            const planes = [{ id: 1, width: 8, height: 8, samples }];
            const bytes = dctJpeg({ precision: 12, rows: 8, columns: 8, planes });
            const frame = await decode(bytes, { ...twelve, rows: 8, columns: 8 });
            expect(farthest(valuesOf(frame), samples)).toBeLessThanOrEqual(2);
          },
        ),
        { numRuns: 30 },
      );
    });

    it('goes on after restart markers, more than there are numbers for', async () => {
      const whole = await decode(dctJpeg(spec), twelve);
      const restarted = await decode(dctJpeg({ ...spec, restartInterval: 1 }), twelve);
      expect(restarted).toEqual(whole);
    });

    it.each([false, true])('decodes colour, in scans of their own: %s', async (separate) => {
      const planes = waves(3, 35, 21, 4095);
      const bytes = dctJpeg({ ...spec, planes, separate, head: [adobe(0)] });
      const colour = { ...twelve, samplesPerPixel: 3, photometricInterpretation: 'RGB' };
      const frame = await decode(bytes, colour);
      expect(farthest(valuesOf(frame), interleaved(planes))).toBeLessThanOrEqual(1);
    });

    it.each([false, true])(
      'repeats subsampled chroma, in scans of their own: %s',
      async (separate) => {
        const [y, cb, cr] = [...waves(1, 32, 32, 4095), ...waves(2, 16, 16, 0)];
        if (y === undefined || cb === undefined || cr === undefined) throw new RangeError();
        // Blocks of chroma as large as a unit, so that what is next to each other tells nothing.
        const half = {
          ...cb,
          id: 2,
          samples: cb.samples.map((_, at) => (at % 16 < 8 ? 1000 : 3000)),
        };
        const grey = { ...cr, id: 3, samples: cr.samples.map(() => 2048) };
        const planes = [{ ...y, horizontal: 2, vertical: 2 }, half, grey];
        const bytes = dctJpeg({ precision: 12, rows: 32, columns: 32, planes, separate });
        const colour = { ...twelve, rows: 32, columns: 32, samplesPerPixel: 3 };
        const frame = await decode(bytes, { ...colour, photometricInterpretation: 'YBR_FULL_422' });
        expect(frame.pixels.photometricInterpretation).toBe('RGB');
        const blue = valuesOf(frame).filter((_, at) => at % 3 === 2);
        const wanted = y.samples.map((luma, at) => {
          const value = luma + 1.772 * ((at % 32 < 16 ? 1000 : 3000) - 2048);
          return Math.min(4095, Math.max(0, Math.round(value)));
        });
        expect(farthest(blue, wanted)).toBeLessThanOrEqual(3);
      },
    );

    it('refuses data that ends early, wherever it does', async () => {
      const bytes = dctJpeg(spec);
      for (let length = 0; length < bytes.length - 3; length += 7) {
        await expect(decode(bytes.subarray(0, length), twelve)).rejects.toMatchObject({
          code: 'pixel-data-corrupt',
        });
      }
    });
  });

  describe('without losses', () => {
    const planeOf = (samples: readonly number[], width: number, id = 1): JpegPlane => ({
      id,
      width,
      height: samples.length / width,
      samples,
    });

    it('decodes with every predictor, depth and number of components', async () => {
      const shapes = fc.record({
        rows: fc.integer({ min: 1, max: 6 }),
        columns: fc.integer({ min: 1, max: 6 }),
        precision: fc.integer({ min: 2, max: 16 }),
        predictor: fc.integer({ min: 1, max: 7 }),
        restartRows: fc.integer({ min: 0, max: 3 }),
        components: fc.constantFrom(1, 3),
        separate: fc.boolean(),
      });
      const cases = shapes.chain((shape) =>
        fc
          .array(fc.integer({ min: 0, max: 2 ** shape.precision - 1 }), {
            minLength: shape.rows * shape.columns * shape.components,
            maxLength: shape.rows * shape.columns * shape.components,
          })
          .map((samples) => ({ ...shape, samples })),
      );
      await fc.assert(
        fc.asyncProperty(cases, async ({ samples, components, restartRows, ...shape }) => {
          const { rows, columns, precision } = shape;
          const count = rows * columns;
          const planes = Array.from({ length: components }, (_, index) =>
            planeOf(samples.slice(index * count, (index + 1) * count), columns, index + 1),
          );
          const restartInterval = restartRows * columns;
          const stored = pixelsOf({
            rows,
            columns,
            samplesPerPixel: components,
            bitsAllocated: precision > 8 ? 16 : 8,
            bitsStored: precision,
          });
          const frame = await decode(losslessJpeg({ ...shape, planes, restartInterval }), stored);
          expect(frame.pixels).toEqual(stored);
          expect(valuesOf(frame)).toEqual(interleaved(planes));
        }),
        { numRuns: 300 },
      );
    });

    it('restores the scale of a point transform', async () => {
      const samples = [0, 8, 16, 4088, 4080, 2048];
      const bytes = losslessJpeg({
        precision: 12,
        rows: 2,
        columns: 3,
        planes: [planeOf(samples, 3)],
        predictor: 1,
        pointTransform: 3,
      });
      const stored = pixelsOf({ rows: 2, columns: 3, bitsAllocated: 16, bitsStored: 12 });
      expect(valuesOf(await decode(bytes, stored))).toEqual(samples);
    });

    it('extends the sign of data of less bits than their cells', async () => {
      const bytes = losslessJpeg({
        precision: 12,
        rows: 1,
        columns: 4,
        planes: [planeOf([0xfff, 0x800, 0x7ff, 0], 4)],
        predictor: 1,
      });
      const shape = { rows: 1, columns: 4, bitsAllocated: 16, bitsStored: 12 };
      const { bytes: cells } = await decode(bytes, pixelsOf({ ...shape, pixelRepresentation: 1 }));
      expect([...new Int16Array(Uint8Array.from(cells).buffer)]).toEqual([-1, -2048, 2047, 0]);
    });

    it('keeps what lies above the stored bits', async () => {
      const samples = [0x8fff, 0x4001];
      const bytes = losslessJpeg({
        precision: 16,
        rows: 1,
        columns: 2,
        planes: [planeOf(samples, 2)],
        predictor: 1,
      });
      const stored = pixelsOf({ rows: 1, columns: 2, bitsAllocated: 16, bitsStored: 12 });
      const frame = await decode(bytes, stored);
      expect(frame.pixels).toEqual(stored);
      expect([...frame.bytes]).toEqual([0xff, 0x8f, 0x01, 0x40]);
    });

    it('widens the cells that the data set is wrong about', async () => {
      const bytes = losslessJpeg({
        precision: 12,
        rows: 1,
        columns: 2,
        planes: [planeOf([4000, 1], 2)],
        predictor: 1,
      });
      const frame = await decode(bytes, pixelsOf({ rows: 1, columns: 2 }));
      expect(frame.pixels).toMatchObject({ bitsAllocated: 16, bitsStored: 12, highBit: 11 });
      expect(valuesOf(frame)).toEqual([4000, 1]);
    });

    it('refuses an interval between restarts that is no number of rows', async () => {
      const bytes = losslessJpeg({
        precision: 8,
        rows: 2,
        columns: 3,
        planes: [planeOf([1, 2, 3, 4, 5, 6], 3)],
        predictor: 1,
        restartInterval: 2,
      });
      await expect(decode(bytes, pixelsOf({ rows: 2, columns: 3 }))).rejects.toMatchObject({
        code: 'pixel-data-corrupt',
      });
    });
  });

  describe('of 8 bits with losses', () => {
    const colour = pixelsOf({ rows: 8, columns: 8, samplesPerPixel: 3 });
    /** Red, as Y, Cb and Cr. */
    const red: [number, number, number] = [76, 85, 255];

    async function firstPixel(
      given: Partial<JpegSpec> & Pick<JpegSpec, 'planes'>,
      photometricInterpretation: string,
      decoded = 'RGB',
    ): Promise<number[]> {
      const bytes = dctJpeg({ precision: 8, rows: 8, columns: 8, ...given });
      const frame = await decode(bytes, { ...colour, photometricInterpretation });
      expect(frame.pixels.photometricInterpretation).toBe(decoded);
      return [...frame.bytes.subarray(0, 3)];
    }

    it('decodes what the encoder makes', async () => {
      const grey = picture(pixelsOf({ rows: 40, columns: 50 }));
      const { bytes, pixels } = await encodeJpegBaseline(grey);
      const frame = await decode(bytes, pixels);
      expect(farthest(valuesOf(frame), valuesOf(grey))).toBeLessThan(16);
    });

    it('puts 8 bits into cells of 16 where the data set has them', async () => {
      const grey = frameOf(pixelsOf({ rows: 8, columns: 8 }), new Array<number>(64).fill(77));
      const { bytes } = await encodeJpegBaseline(grey);
      const stored = pixelsOf({ rows: 8, columns: 8, bitsAllocated: 16, bitsStored: 8 });
      const frame = await decode(bytes, stored);
      expect(frame.pixels).toEqual(stored);
      expect(valuesOf(frame)).toEqual(new Array<number>(64).fill(77));
    });

    it.each([
      ['no marker', []],
      ['JFIF', [jfif]],
      ['JFIF, then Adobe', [jfif, adobe(1)]],
      ['Adobe', [adobe(1)]],
    ])('leaves YBR_FULL what the data set says it is: %s', async (_markers, head) => {
      expect(await firstPixel({ planes: flat(red), head }, 'YBR_FULL', 'YBR_FULL')).toEqual(red);
    });

    it('knows red, green and blue that are called YBR_FULL', async () => {
      const planes = flat(red);
      expect(await firstPixel({ planes, head: [adobe(0)] }, 'YBR_FULL')).toEqual(red);
    });

    it.each(['YBR_FULL_422', 'YBR_ICT'])(
      'believes %s where no marker tells the colour',
      async (named) => {
        expect(await firstPixel({ planes: flat(red) }, named)).toEqual([254, 0, 0]);
      },
    );

    it('believes RGB where no marker tells the colour', async () => {
      expect(await firstPixel({ planes: flat(red) }, 'RGB')).toEqual(red);
    });

    it('believes the markers more than the data set', async () => {
      const planes = flat(red);
      expect(await firstPixel({ planes, head: [adobe(0)] }, 'YBR_FULL_422')).toEqual(red);
      expect(await firstPixel({ planes, head: [adobe(1)] }, 'RGB')).toEqual([254, 0, 0]);
      expect(await firstPixel({ planes, head: [jfif] }, 'RGB')).toEqual([254, 0, 0]);
      expect(await firstPixel({ planes: flat(red, [82, 71, 66]) }, 'YBR_FULL_422')).toEqual(red);
    });

    it('takes subsampled components for luminance and chrominance', async () => {
      const [y, cb, cr] = flat(red);
      if (y === undefined || cb === undefined || cr === undefined) throw new RangeError();
      const wide = { ...y, width: 16, samples: [...y.samples, ...y.samples], horizontal: 2 };
      const bytes = dctJpeg({ precision: 8, rows: 8, columns: 16, planes: [wide, cb, cr] });
      const frame = await decode(bytes, { ...colour, columns: 16 });
      expect([...frame.bytes.subarray(0, 3)]).toEqual([254, 0, 0]);
      const named = { photometricInterpretation: 'YBR_FULL' };
      const full = await decode(bytes, { ...colour, columns: 16, ...named });
      expect(full.pixels).toMatchObject(named);
      expect([...full.bytes.subarray(0, 3)]).toEqual(red);
    });

    it('does without the last marker, not without data', async () => {
      const { bytes, pixels } = await encodeJpegBaseline(
        picture(pixelsOf({ rows: 40, columns: 50 })),
      );
      const whole = await decode(bytes, pixels);
      const end = Buffer.from(bytes).lastIndexOf(Uint8Array.of(0xff, 0xd9));
      expect(await decode(bytes.subarray(0, end), pixels)).toEqual(whole);
      await expect(decode(bytes.subarray(0, end - 20), pixels)).rejects.toMatchObject({
        code: 'pixel-data-corrupt',
      });
    });
  });

  it('tells of a size that is not that of the data set', async () => {
    const bytes = dctJpeg({ precision: 12, rows: 9, columns: 8, planes: waves(1, 8, 9, 99) });
    await expect(decode(bytes, pixelsOf({ rows: 8, columns: 9 }))).rejects.toMatchObject({
      code: 'pixel-data-corrupt',
      message: 'The codestream has 9 rows and 8 columns, the data set 8 and 9.',
    });
    await expect(
      decode(bytes, pixelsOf({ rows: 9, columns: 8, samplesPerPixel: 3 })),
    ).rejects.toMatchObject({
      message: 'The codestream has 1 samples per pixel, the data set 3.',
    });
  });

  it('refuses a process that it has no decoder for', async () => {
    const planes = waves(1, 8, 8, 99);
    const bytes = Buffer.from(dctJpeg({ precision: 12, rows: 8, columns: 8, planes }));
    const at = bytes.indexOf(Uint8Array.of(0xff, 0xc1));
    bytes[at + 1] = 0xc9;
    await expect(decode(bytes, pixelsOf({ rows: 8, columns: 8 }))).rejects.toMatchObject({
      code: 'pixel-data-unsupported',
      message: 'JPEG of process C9, 12 bits and 1 components cannot be decoded.',
    });
  });

  it.each([
    ['no JPEG at all', [1, 2, 3]],
    ['no frame header', [0xff, 0xd8, ...segment(0xda, 0)]],
    ['a segment longer than the data', [0xff, 0xd8, 0xff, 0xe0, 0x10, 0]],
    ['a frame header that is cut off', [0xff, 0xd8, ...segment(0xc0, 8, 0, 8, 0, 8, 3)]],
    ['nothing', []],
  ])('refuses %s', async (_, bytes) => {
    await expect(decode(Uint8Array.from(bytes), pixelsOf())).rejects.toMatchObject({
      code: 'pixel-data-corrupt',
    });
  });
});
