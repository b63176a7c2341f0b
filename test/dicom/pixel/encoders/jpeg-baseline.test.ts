import { describe, expect, it } from '@jest/globals';
import { encodeJpegBaseline } from '../../../../src/dicom/pixel/encoders/jpeg-baseline.js';
import {
  decodeByLibJpeg,
  frameOf,
  picture,
  pixelsOf,
  valuesOf,
} from '../../../support/dicom/pixel-frames.js';

/** The largest difference between two lists of numbers. */
function furthest(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, at) => Math.abs(value - (b[at] ?? Number.NaN))));
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('encodeJpegBaseline', () => {
  it('comes close to grey pictures, as a baseline process', async () => {
    const frame = picture(pixelsOf({ rows: 48, columns: 64 }));
    const { bytes, pixels } = await encodeJpegBaseline(frame);
    expect(pixels).toEqual(frame.pixels);
    expect(hex(bytes)).toContain('ffc0000b08003000400101');
    const decoded = await decodeByLibJpeg(bytes);
    expect(furthest(valuesOf({ pixels, bytes: decoded.bytes }), valuesOf(frame))).toBeLessThan(16);
  });

  it('writes colour as YCbCr with chroma of half the width, and says so', async () => {
    const frame = picture(pixelsOf({ rows: 48, columns: 64, samplesPerPixel: 3 }));
    const { bytes, pixels } = await encodeJpegBaseline(frame);
    expect(pixels).toEqual({ ...frame.pixels, photometricInterpretation: 'YBR_FULL_422' });
    expect(hex(bytes)).toContain('ffc000110800300040' + '03012100021101031101');
    const decoded = await decodeByLibJpeg(bytes);
    expect(
      furthest(valuesOf({ pixels: frame.pixels, bytes: decoded.bytes }), valuesOf(frame)),
    ).toBeLessThan(32);
  });

  it('takes YBR_FULL and planes for the same picture', async () => {
    const grey = pixelsOf({ rows: 8, columns: 8, samplesPerPixel: 3 });
    const rgb = frameOf(grey, Array.from({ length: 64 }, () => [255, 0, 0]).flat());
    const planes = frameOf({ ...grey, planarConfiguration: 1 }, [
      ...new Array<number>(64).fill(255),
      ...new Array<number>(128).fill(0),
    ]);
    const ybr = frameOf(
      { ...grey, photometricInterpretation: 'YBR_FULL' },
      Array.from({ length: 64 }, () => [76, 85, 255]).flat(),
    );
    const encoded = await encodeJpegBaseline(rgb);
    expect((await encodeJpegBaseline(planes)).bytes).toEqual(encoded.bytes);
    const red = (await decodeByLibJpeg((await encodeJpegBaseline(ybr)).bytes)).bytes;
    expect(furthest([...red], valuesOf(rgb))).toBeLessThan(6);
  });

  it('tells its method and ratio', async () => {
    const frame = picture(pixelsOf({ rows: 48, columns: 64, samplesPerPixel: 3 }));
    const { bytes, lossy } = await encodeJpegBaseline(frame);
    expect(lossy).toEqual({ method: 'ISO_10918_1', ratio: frame.bytes.length / bytes.length });
  });

  it.each([
    [8, 8],
    [1, 64],
    [64, 1],
    [61, 67],
  ])('has room for noise of %i by %i pixels', async (rows, columns) => {
    for (const samplesPerPixel of [1, 3]) {
      const pixels = pixelsOf({ rows, columns, samplesPerPixel });
      const noise = Array.from(
        { length: rows * columns * samplesPerPixel },
        (_, at) => (Math.imul(at + 1, 0x9e3779b1) >>> 24) & 0xff,
      );
      const { bytes } = await encodeJpegBaseline(frameOf(pixels, noise));
      expect(await decodeByLibJpeg(bytes)).toMatchObject({ componentCount: samplesPerPixel });
    }
  });
});
