import { describe, expect, it } from '@jest/globals';
import type { DataSet, Element, Value } from '../../../../src/dicom/data-set.js';
import { annotationsOf } from '../../../../src/dicomweb/retrieve/rendered/annotation-lines.js';
import { iccProfileOf } from '../../../../src/dicomweb/retrieve/rendered/icc-profile.js';
import { srgbProfile } from '../../../../src/dicom/pixel/render/srgb-profile.js';

const of = (vr: string, ...values: Value[]) => ({ vr, Value: values }) as Element;

describe('annotationsOf', () => {
  const dataSet = {
    '00080060': of('CS', 'CT'),
    '00100010': of('PN', { Alphabetic: 'Doe^Jane^^Dr' }),
    '00100020': of('LO', 'P1'),
    '00180060': of('DS', 120),
    '00181151': of('IS', 200),
  } as DataSet;

  it('tells of the patient at the top and of the technique at the bottom', () => {
    expect(annotationsOf(dataSet, ['patient', 'technique'])).toEqual({
      topLeft: ['Doe Jane Dr', 'ID P1'],
      bottomLeft: ['CT', '120 kV  200 mA'],
    });
    expect(annotationsOf(dataSet, ['technique'])?.topLeft).toEqual([]);
  });

  it('is nothing when nothing is asked for', () => {
    expect(annotationsOf(dataSet, [])).toBeUndefined();
  });
});

describe('iccProfileOf', () => {
  const bulk = () => Promise.resolve(srgbProfile);
  const referred = { '00282000': { vr: 'OB', BulkDataURI: '00282000' } } as DataSet;
  const ofPath = { '00480105': of('SQ', referred) } as DataSet;
  const short = { '00282000': { vr: 'OB', InlineBinary: 'AAAA' } } as DataSet;

  it('is the profile of the image, or of its optical path', async () => {
    for (const dataSet of [referred, ofPath]) {
      expect(
        Buffer.from((await iccProfileOf(dataSet, 'yes', bulk)) ?? []).equals(srgbProfile),
      ).toBe(true);
    }
  });

  it('is that of sRGB for an image without one, or with one that is none', async () => {
    for (const dataSet of [{}, short]) {
      expect(await iccProfileOf(dataSet, 'yes', bulk)).toBe(srgbProfile);
      expect(await iccProfileOf(dataSet, 'srgb', bulk)).toBe(srgbProfile);
      expect(await iccProfileOf(dataSet, 'no', bulk)).toBeUndefined();
    }
  });

  it('is not converted', async () => {
    await expect(iccProfileOf(referred, 'srgb', bulk)).rejects.toMatchObject({
      code: 'invalid-query',
      facts: { parameter: 'iccprofile' },
    });
  });
});
