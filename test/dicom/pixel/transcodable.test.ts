import { describe, expect, it } from '@jest/globals';
import type { ImagePixels } from '../../../src/dicom/pixel/image-pixels.js';
import { canEncode, canTranscode } from '../../../src/dicom/pixel/transcodable.js';
import { transferSyntaxOf, type TransferSyntax } from '../../../src/dicom/transfer-syntax.js';
import { syntaxes } from '../../support/part10-builder.js';
import { pixelsOf } from '../../support/dicom/pixel-frames.js';

function syntax(uid: string): TransferSyntax {
  const found = transferSyntaxOf(uid);
  if (found === undefined) throw new Error(`${uid} is no UID.`);
  return found;
}

const names: Readonly<Record<string, string>> = {
  [syntaxes.explicit]: 'native',
  [syntaxes.jpegBaseline]: 'baseline',
  [syntaxes.jpegLossless]: 'lossless',
  [syntaxes.jpegLs]: 'jpeg-ls',
  [syntaxes.jpeg2000]: 'j2k',
  [syntaxes.htj2k]: 'htj2k',
  [syntaxes.rle]: 'rle',
};
const losslessCodecs = ['lossless', 'jpeg-ls', 'j2k', 'htj2k', 'rle'];
const every = ['native', 'baseline', ...losslessCodecs];

const targetsOf = (pixels: ImagePixels): string[] =>
  Object.entries(names).flatMap(([uid, name]) => (canEncode(pixels, uid) ? [name] : []));

describe('canEncode', () => {
  it.each<[string, Partial<ImagePixels>, string[]]>([
    ['grey of 8 bits', {}, every],
    ['inverted grey', { photometricInterpretation: 'MONOCHROME1' }, every],
    ['grey of 12 bits', { bitsAllocated: 16, bitsStored: 12 }, ['native', ...losslessCodecs]],
    ['grey of 5 of 8 bits', { bitsStored: 5 }, ['native', ...losslessCodecs]],
    ['signed grey', { pixelRepresentation: 1 }, ['native', ...losslessCodecs]],
    ['integers of 32 bits', { bitsAllocated: 32 }, ['native', 'rle']],
    ['integers of 64 bits', { bitsAllocated: 64 }, ['native']],
    ['single bits', { bitsAllocated: 1 }, ['native']],
    ['RGB', { samplesPerPixel: 3 }, every],
    ['YBR_FULL', { samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL' }, every],
    ['RGB of 16 bits', { samplesPerPixel: 3, bitsAllocated: 16 }, ['native', ...losslessCodecs]],
    ['signed RGB', { samplesPerPixel: 3, pixelRepresentation: 1 }, ['native']],
    [
      'palette indices',
      { photometricInterpretation: 'PALETTE COLOR' },
      ['native', ...losslessCodecs],
    ],
    ['RGB of one sample', { photometricInterpretation: 'RGB' }, ['native']],
    ['four samples', { samplesPerPixel: 4, photometricInterpretation: 'CMYK' }, ['native']],
    ['fewer than 64 pixels', { rows: 7, columns: 9 }, ['native', ...losslessCodecs]],
  ])('knows where %s go', (_, pixels, expected) => {
    expect(targetsOf(pixelsOf(pixels))).toEqual(expected);
  });

  it('knows no other targets', () => {
    expect(canEncode(pixelsOf(), syntaxes.bigEndian)).toBe(false);
    expect(canEncode(pixelsOf(), '1.2.840.10008.1.2.4.91')).toBe(false);
  });
});

describe('canTranscode', () => {
  const from = syntax(syntaxes.explicit);
  const colour = pixelsOf({ samplesPerPixel: 3 });

  it('leaves frames in the syntax that they are in, also where nobody can decode them', () => {
    expect(canTranscode(syntax(syntaxes.mpeg4), syntax(syntaxes.mpeg4), colour)).toBe(true);
    expect(canTranscode(syntax(syntaxes.mpeg4), from, colour)).toBe(false);
  });

  it('goes from native to what can be encoded', () => {
    expect(canTranscode(from, syntax(syntaxes.jpeg2000), colour)).toBe(true);
    expect(canTranscode(syntax(syntaxes.bigEndian), syntax(syntaxes.implicit), colour)).toBe(true);
    const deep = pixelsOf({ bitsAllocated: 16 });
    expect(canTranscode(from, syntax(syntaxes.jpegBaseline), deep)).toBe(false);
  });

  it('completes native chroma only where it can', () => {
    const halved = { ...colour, photometricInterpretation: 'YBR_FULL_422' };
    const partial = { ...colour, photometricInterpretation: 'YBR_PARTIAL_422' };
    const to = syntax(syntaxes.jpegLs);
    expect(canTranscode(from, to, halved)).toBe(true);
    expect(canTranscode(from, to, { ...halved, columns: 15 })).toBe(false);
    expect(canTranscode(from, syntax(syntaxes.implicit), partial)).toBe(false);
  });
});
