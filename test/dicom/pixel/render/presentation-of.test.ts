import { describe, expect, it } from '@jest/globals';
import type { DataSet, Element, Value } from '../../../../src/dicom/data-set.js';
import { presentationOf } from '../../../../src/dicom/pixel/render/presentation-of.js';
import type { ImagePixels } from '../../../../src/dicom/pixel/image-pixels.js';
import { imagePixels } from '../../../support/dicom/frames.js';

const noBulk = (path: string) => Promise.reject<Uint8Array>(new Error(`unexpected ${path}`));
const ds = (...Value: Value[]): Element => ({ vr: 'DS', Value });
const us = (...Value: Value[]): Element => ({ vr: 'US', Value });
const cs = (...Value: Value[]): Element => ({ vr: 'CS', Value });
const sq = (...Value: DataSet[]): Element => ({ vr: 'SQ', Value });

async function shown(
  dataSet: Readonly<Record<string, Element>>,
  { frame = 1, ...pixels }: Partial<ImagePixels> & { readonly frame?: number } = {},
) {
  return await presentationOf(dataSet, frame, imagePixels(pixels), noBulk);
}

describe('presentationOf', () => {
  it('shows stored values when the data set says nothing', async () => {
    expect(await shown({})).toEqual({
      samples: 'integer',
      modality: { kind: 'rescale', slope: 1, intercept: 0 },
      inverse: false,
      pixelAspect: 1,
    });
  });

  it('takes rescale and the first of several windows', async () => {
    const dataSet = {
      '00281050': ds(40, -600),
      '00281051': ds(400, 1500),
      '00281052': ds(-1024),
      '00281053': ds('2'),
    };
    expect(await shown(dataSet)).toMatchObject({
      modality: { kind: 'rescale', slope: 2, intercept: -1024 },
      voi: { kind: 'window', window: { center: 40, width: 400, shape: 'LINEAR' } },
    });
  });

  it('passes over windows without width, and over a slope of 0', async () => {
    const dataSet = { '00281050': ds(0, 7), '00281051': ds(0, 9), '00281053': ds(0) };
    const { modality, voi } = await shown(dataSet);
    expect(modality).toEqual({ kind: 'rescale', slope: 1, intercept: 0 });
    expect(voi).toEqual({ kind: 'window', window: { center: 7, width: 9, shape: 'LINEAR' } });
    expect((await shown({ '00281050': ds(0), '00281051': ds(0) })).voi).toBeUndefined();
  });

  it.each(['LINEAR', 'LINEAR_EXACT', 'SIGMOID'])('reads the function %s', async (shape) => {
    const dataSet = { '00281050': ds(1), '00281051': ds(2), '00281056': cs(shape) };
    expect(await shown(dataSet)).toMatchObject({ voi: { window: { shape } } });
  });

  it('takes tables before rescale, and windows before tables', async () => {
    const table = { '00283002': us(1, 0, 8), '00283006': us(5) } as DataSet;
    const both = { '00283000': sq(table), '00281053': ds(3), '00283010': sq(table) };
    const lut = { kind: 'lut', table: { first: 0, bits: 8, entries: Uint16Array.of(5) } };
    expect(await shown(both)).toMatchObject({ modality: lut, voi: lut });
    const window = { '00281050': ds(1), '00281051': ds(2) };
    expect(await shown({ ...both, ...window })).toMatchObject({ voi: { kind: 'window' } });
  });

  it.each([
    ['X-Ray Angiographic', '12.1', 'ignored'],
    ['X-Ray Radiofluoroscopic', '12.2', 'ignored'],
    ['X-Ray Angiographic Bi-Plane', '12.3', 'ignored'],
    ['Enhanced XA', '12.1.1', 'ignored'],
    ['Enhanced XRF', '12.2.1', 'ignored'],
    ['Segmentation', '66.4', 'ignored'],
    ['X-Ray 3D Angiographic', '13.1.1', 'applied'],
    ['Positron Emission Tomography', '128', 'applied'],
    ['Digital X-Ray for presentation', '1.1', 'applied'],
    ['Computed Radiography', '1', 'applied'],
    ['CT', '2', 'applied'],
  ])('knows of %s (%s) that its Modality LUT or rescale is %s', async (_name, suffix, rule) => {
    const sopClass: Element = { vr: 'UI', Value: [`1.2.840.10008.5.1.4.1.1.${suffix}`] };
    const table = { '00283002': us(1, 0, 8), '00283006': us(5) } as DataSet;
    const window = { '00281050': ds(100), '00281051': ds(200) };
    const rescale = { '00281052': ds(-7), '00281053': ds(3) } as DataSet;
    const transformations: Readonly<Record<string, Element>>[] = [
      { '00283000': sq(table) },
      rescale,
      { '52009229': sq({ '00289145': sq(rescale) } as DataSet) },
    ];
    const asStored = { kind: 'rescale', slope: 1, intercept: 0 };
    for (const transformation of transformations) {
      const { modality, voi } = await shown({ '00080016': sopClass, ...transformation, ...window });
      if (rule === 'ignored') expect(modality).toEqual(asStored);
      else expect(modality).not.toEqual(asStored);
      expect(voi).toMatchObject({ kind: 'window', window: { center: 100, width: 200 } });
    }
  });

  it('takes what the functional groups of the frame say, then the shared ones', async () => {
    const group = (slope: number, center: number) =>
      ({
        '00289145': sq({ '00281052': ds(0), '00281053': ds(slope) } as DataSet),
        '00289132': sq({ '00281050': ds(center), '00281051': ds(10) } as DataSet),
      }) as DataSet;
    const dataSet = {
      '52009229': sq(group(2, 200)),
      '52009230': sq(group(3, 300), {}),
      '00281053': ds(9),
    };
    expect(await shown(dataSet, { frame: 1 })).toMatchObject({
      modality: { slope: 3 },
      voi: { window: { center: 300 } },
    });
    expect(await shown(dataSet, { frame: 2 })).toMatchObject({
      modality: { slope: 2 },
      voi: { window: { center: 200 } },
    });
  });

  it.each([
    { photometricInterpretation: 'MONOCHROME1', shape: undefined, inverse: true },
    { photometricInterpretation: 'MONOCHROME1', shape: 'INVERSE', inverse: true },
    { photometricInterpretation: 'MONOCHROME2', shape: 'INVERSE', inverse: true },
    { photometricInterpretation: 'MONOCHROME2', shape: 'IDENTITY', inverse: false },
  ])('$photometricInterpretation with $shape is inverse: $inverse', async (given) => {
    const { shape, inverse, photometricInterpretation } = given;
    const dataSet = shape === undefined ? {} : { '20500020': cs(shape) };
    expect((await shown(dataSet, { photometricInterpretation })).inverse).toBe(inverse);
  });

  it('reads padding in the sign of the pixels', async () => {
    const range = { '00280120': us(63_536), '00280121': us(63_546) };
    const signed = { bitsAllocated: 16, pixelRepresentation: 1 } as const;
    expect((await shown(range, signed)).padding).toEqual({ from: -2000, to: -1990 });
    const unsigned = { bitsAllocated: 16, pixelRepresentation: 0 } as const;
    expect((await shown({ '00280120': us(-2000) }, unsigned)).padding).toEqual({
      from: 63_536,
      to: 63_536,
    });
  });

  it('knows float and double pixels by their element', async () => {
    const of: Element = { vr: 'OF', BulkDataURI: '7FE00008' };
    const padding: Element = { vr: 'FL', Value: [-1.5] };
    expect(await shown({ '7FE00008': of, '00280122': padding })).toMatchObject({
      samples: 'float',
      padding: { from: -1.5, to: -1.5 },
    });
    expect(await shown({ '7FE00009': { ...of, vr: 'OD' } })).toMatchObject({ samples: 'double' });
  });

  it.each([
    { what: 'PixelSpacing', dataSet: { '00280030': ds(2, 1) }, aspect: 2 },
    { what: 'ImagerPixelSpacing', dataSet: { '00181164': ds(1, 2) }, aspect: 0.5 },
    { what: 'PixelAspectRatio', dataSet: { '00280034': ds(4, 3) }, aspect: 4 / 3 },
    { what: 'spacing of 0', dataSet: { '00280030': ds(0, 0) }, aspect: 1 },
    { what: 'rounding', dataSet: { '00280030': ds(0.4883, 0.4882) }, aspect: 1 },
    { what: 'a slip', dataSet: { '00280030': ds(100, 0.1) }, aspect: 1 },
  ])('takes $what for the shape of pixels', async ({ dataSet, aspect }) => {
    expect((await shown(dataSet)).pixelAspect).toBe(aspect);
  });
});
