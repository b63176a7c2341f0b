import { describe, expect, it } from '@jest/globals';
import { canEncode } from '../../src/dicom/pixel/transcodable.js';
import { explain, explanations } from '../../scripts/transcoding/explained.js';
import { whyImpossible } from '../../scripts/transcoding/limits.js';
import { explainedOf, impossibleOf, matrixOf, targets } from '../../scripts/transcoding/matrix.js';
import type { Outcome } from '../../scripts/transcoding/matrix.js';
import type { Source } from '../../scripts/transcoding/oracle.js';

const [explicit = '', , , rle = '', baseline = ''] = targets;

function source(given: Partial<Source> = {}): Source {
  return {
    file: 'a/one.dcm',
    path: '',
    syntax: explicit,
    pixels: 'PixelData',
    address: { study: '1', series: '2', instance: '3' },
    rows: 8,
    columns: 8,
    samples: 1,
    bitsAllocated: 8,
    bitsStored: 8,
    signed: false,
    interpretation: 'MONOCHROME2',
    ...given,
  };
}

function outcome(kind: Outcome['kind'], target: string, file = 'a/one.dcm'): Outcome {
  return { source: source({ file }), target, kind, why: 'so' };
}

/** The cells of the first row that begins so. */
function row(table: string, start: string): readonly string[] {
  const line = table.split('\n').find((one) => one.startsWith(`| ${start} `)) ?? '';
  return line.split('|').map((text) => text.trim());
}

describe('matrixOf', () => {
  it('counts what passed of what was tried, and leaves out what cannot be', () => {
    const table = matrixOf([
      outcome('passed', explicit),
      outcome('passed', rle),
      outcome('failed', rle, 'two'),
      outcome('explained', rle, 'three'),
      outcome('impossible', baseline),
    ]);
    expect(row(table, 'explicit').slice(1, 8)).toEqual([
      ...['explicit', '3', '1/1', '', '', '1/3', ''],
    ]);
    expect(row(table, '**all**').slice(2, 4)).toEqual(['3', '1/1']);
  });
});

describe('impossibleOf', () => {
  it('counts files by target and reason', () => {
    const table = impossibleOf([outcome('impossible', rle), outcome('impossible', rle, 'two')]);
    expect(row(table, 'RLE')).toEqual(['', 'RLE', 'so', '2', '']);
  });
});

describe('explainedOf', () => {
  it('names the reason once, with its link', () => {
    const [explanation] = explanations;
    if (explanation === undefined) throw new Error('nothing is explained');
    const one = { ...outcome('explained', rle), explanation };
    const text = explainedOf([one, { ...one, target: explicit }]);
    expect(row(text, `\`${explanation.files}\``).slice(2, 4)).toEqual([
      'explicit',
      'RLE, explicit',
    ]);
    expect(text.split(explanation.link)).toHaveLength(2);
    expect(explainedOf([])).toBe('None.\n');
  });
});

describe('explain', () => {
  it('covers the files it names, and no others', () => {
    const [explanation] = explanations;
    const file = explanation?.files.replaceAll('*', 'x') ?? '';
    expect(explain(file, rle)).toBe(explanation);
    expect(explain(`other/${file}`, rle)).toBeUndefined();
  });
});

describe('whyImpossible', () => {
  it('agrees with what the encoders say they take', () => {
    const kinds = [1, 8, 16, 32].flatMap((bitsAllocated) =>
      [bitsAllocated, Math.max(1, bitsAllocated - 4)].flatMap((bitsStored) =>
        ['MONOCHROME1', 'PALETTE COLOR', 'RGB', 'YBR_FULL'].flatMap((interpretation) =>
          [false, true].map((signed) =>
            source({
              ...{ bitsAllocated, bitsStored, interpretation, signed },
              samples: ['RGB', 'YBR_FULL'].includes(interpretation) ? 3 : 1,
            }),
          ),
        ),
      ),
    );
    for (const kind of [...kinds, source({ rows: 7 }), source({ columns: 1 })]) {
      // A signed palette index is not known to the standard.
      if (kind.interpretation === 'PALETTE COLOR' && kind.signed) continue;
      for (const target of targets) {
        const pixels = {
          rows: kind.rows,
          columns: kind.columns,
          samplesPerPixel: kind.samples,
          photometricInterpretation: kind.interpretation,
          planarConfiguration: 0 as const,
          bitsAllocated: kind.bitsAllocated,
          bitsStored: kind.bitsStored,
          highBit: kind.bitsStored - 1,
          pixelRepresentation: kind.signed ? (1 as const) : (0 as const),
        };
        const why = whyImpossible(kind, target);
        expect([target, pixels, why === undefined]).toEqual([
          ...[target, pixels, canEncode(pixels, target)],
        ]);
      }
    }
  });
});
