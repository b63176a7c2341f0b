import { describe, expect, it } from '@jest/globals';
import type { DataSet } from '../../../src/dicom/data-set.js';
import type { EncodedFrame } from '../../../src/dicom/pixel/encode-frame.js';
import {
  lossyHistoryOf,
  transcodedAttributes,
} from '../../../src/dicom/pixel/transcoded-attributes.js';
import { tagFrom } from '../../../src/dicom/tag.js';
import { transferSyntaxes } from '../../../src/dicom/transfer-syntax.js';
import { pixelsOf } from '../../support/dicom/pixel-frames.js';
import { syntaxes } from '../../support/part10-builder.js';

const bytes = new Uint8Array(0);
const unscathed = { lossy: false, ratios: [], methods: [] };
const rgb = pixelsOf({ samplesPerPixel: 3 });

function syntax(uid: string) {
  const found = transferSyntaxes.find((one) => one.uid === uid);
  if (found === undefined) throw new Error(`There is no ${uid}.`);
  return found;
}

/** Changes as tag, VR and value, text as text. */
function changesOf(...given: Parameters<typeof transcodedAttributes>) {
  return [...transcodedAttributes(...given)].map(([tag, change]) => [
    tag,
    change.vr,
    change.vr === 'US'
      ? Buffer.from(change.value).readUInt16LE()
      : Buffer.from(change.value).toString('latin1'),
  ]);
}

describe('transcodedAttributes', () => {
  it('changes nothing when the pixels stay what they are', () => {
    const pixels = pixelsOf();
    expect(changesOf(pixels, syntax(syntaxes.explicit), { bytes, pixels }, unscathed)).toEqual([]);
  });

  it('names what became of the pixels', () => {
    const first: EncodedFrame = {
      bytes,
      pixels: { ...rgb, photometricInterpretation: 'YBR_RCT' },
    };
    const planar = { ...rgb, planarConfiguration: 1 as const };
    expect(changesOf(planar, syntax(syntaxes.explicit), first, unscathed)).toEqual([
      ['00280004', 'CS', 'YBR_RCT'],
      ['00280006', 'US', 0],
    ]);
    const wider = { ...rgb, bitsAllocated: 16, bitsStored: 12, highBit: 11 };
    expect(changesOf(rgb, syntax(syntaxes.jpeg2000), { bytes, pixels: wider }, unscathed)).toEqual([
      ['00280100', 'US', 16],
      ['00280101', 'US', 12],
      ['00280102', 'US', 11],
    ]);
  });

  it('records a lossy step', () => {
    const first = { bytes, pixels: rgb, lossy: { method: 'ISO_10918_1', ratio: 12.345678 } };
    expect(changesOf(rgb, syntax(syntaxes.explicit), first, unscathed)).toEqual([
      ['00282110', 'CS', '01'],
      ['00282112', 'DS', '12.3457'],
      ['00282114', 'CS', 'ISO_10918_1'],
    ]);
  });

  it('adds a step to those that were, and keeps ratio and method side by side', () => {
    const first = { bytes, pixels: rgb, lossy: { method: 'ISO_10918_1', ratio: 9 } };
    const history = { lossy: true, ratios: ['30', '5'], methods: ['ISO_15444_1'] };
    expect(changesOf(rgb, syntax(syntaxes.explicit), first, history)).toEqual([
      ['00282112', 'DS', '30\\5\\9'],
      ['00282114', 'CS', 'ISO_15444_1\\\\ISO_10918_1'],
    ]);
  });

  it('does not let the loss of JPEG Baseline be forgotten', () => {
    const first = { bytes, pixels: rgb };
    expect(changesOf(rgb, syntax(syntaxes.jpegBaseline), first, unscathed)).toEqual([
      ['00282110', 'CS', '01'],
    ]);
    const told = { lossy: true, ratios: [], methods: [] };
    expect(changesOf(rgb, syntax(syntaxes.jpegBaseline), first, told)).toEqual([]);
    expect(changesOf(rgb, syntax(syntaxes.jpegLs), first, unscathed)).toEqual([]);
  });
});

describe('lossyHistoryOf', () => {
  it('reads what a data set says of lossy compression', () => {
    const dataSet: DataSet = {
      [tagFrom(0x0028, 0x2110)]: { vr: 'CS', Value: ['01'] },
      [tagFrom(0x0028, 0x2112)]: { vr: 'DS', Value: [30, null, 5.5] },
      [tagFrom(0x0028, 0x2114)]: { vr: 'CS', Value: ['ISO_15444_1'] },
    };
    expect(lossyHistoryOf(dataSet)).toEqual({
      lossy: true,
      ratios: ['30', '', '5.5'],
      methods: ['ISO_15444_1'],
    });
    expect(lossyHistoryOf({})).toEqual(unscathed);
    expect(lossyHistoryOf({ [tagFrom(0x0028, 0x2110)]: { vr: 'CS', Value: ['00'] } })).toEqual(
      unscathed,
    );
  });
});
