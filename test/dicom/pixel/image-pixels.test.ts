import { describe, expect, it } from '@jest/globals';
import type { DataSet } from '../../../src/dicom/data-set.js';
import { frameBytes, imagePixelsOf } from '../../../src/dicom/pixel/image-pixels.js';
import { pixelsOf } from '../../support/dicom/pixel-frames.js';

const us = (value: number) => ({ vr: 'US', Value: [value] });
const cs = (value: string) => ({ vr: 'CS', Value: [value] });

function read(elements: Record<string, unknown>) {
  return imagePixelsOf(elements as DataSet);
}

const least = { '00280010': us(3), '00280011': us(4), '00280100': us(16) };

describe('imagePixelsOf', () => {
  it('reads the Image Pixel module', () => {
    expect(
      read({
        '00280002': us(3),
        '00280004': cs('YBR_FULL'),
        '00280006': us(1),
        '00280010': us(3),
        '00280011': us(4),
        '00280100': us(16),
        '00280101': us(12),
        '00280102': us(13),
        '00280103': us(1),
        '7FE00010': { vr: 'OB', BulkDataURI: '7FE00010' },
      }),
    ).toEqual({
      samplesPerPixel: 3,
      photometricInterpretation: 'YBR_FULL',
      planarConfiguration: 1,
      rows: 3,
      columns: 4,
      bitsAllocated: 16,
      bitsStored: 12,
      highBit: 13,
      pixelRepresentation: 1,
      pixelDataVR: 'OB',
    });
  });

  it('fills in what the rest implies', () => {
    expect(read(least)).toEqual({
      samplesPerPixel: 1,
      photometricInterpretation: 'MONOCHROME2',
      planarConfiguration: 0,
      rows: 3,
      columns: 4,
      bitsAllocated: 16,
      bitsStored: 16,
      highBit: 15,
      pixelRepresentation: 0,
    });
    expect(read({ ...least, '00280002': us(3) })).toMatchObject({
      photometricInterpretation: 'RGB',
    });
    expect(read({ ...least, '00280101': us(10) })).toMatchObject({ highBit: 9 });
  });

  it.each(['00280010', '00280011', '00280100'])('needs %s', (tag) => {
    expect(read({ ...least, [tag]: us(0) })).toBeUndefined();
    expect(read({ ...least, [tag]: { vr: 'US' } })).toBeUndefined();
  });

  it.each(['7FE00008', '7FE00009'])('leaves the floating point pixels of %s alone', (tag) => {
    expect(read({ ...least, [tag]: { vr: 'OF', BulkDataURI: tag } })).toBeUndefined();
  });
});

describe('frameBytes', () => {
  it('counts whole bytes of every sample', () => {
    expect(frameBytes(pixelsOf({ rows: 3, columns: 5, bitsAllocated: 16 }))).toBe(30);
    expect(frameBytes(pixelsOf({ rows: 3, columns: 5, samplesPerPixel: 3 }))).toBe(45);
    expect(frameBytes(pixelsOf({ rows: 3, columns: 5, bitsAllocated: 1 }))).toBe(2);
  });
});
