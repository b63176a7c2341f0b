import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultCharacterSet } from '../../src/dicom/text/character-set.js';
import { stringifyDataSet, toDataSet } from '../../src/dicom/json.js';
import { writtenValuesOf } from '../../src/dicom/raw-value.js';
import { spellingsOf } from '../../src/dicom/spelling.js';
import type { RawElement } from '../../src/dicom/raw-data-set.js';
import type { VR } from '../../src/dicom/vr.js';
import { rawDataSet, rawElement, rawSequence } from '../support/dicom/raw-data-set.js';

function written(vr: VR, value: string) {
  return writtenValuesOf(rawElement('00091001', vr, value), defaultCharacterSet);
}

function spelled(...elements: readonly RawElement[]) {
  const raw = rawDataSet(...elements);
  return stringifyDataSet(toDataSet(raw), Object.fromEntries(spellingsOf(raw)));
}

describe('writtenValuesOf', () => {
  it.each([
    ['1.0', '1.0'],
    ['+1.50', '1.50'],
    [' 01.0 ', '1.0'],
    ['-007.250', '-7.250'],
    ['0.0', '0.0'],
    ['-0.0', '-0.0'],
    ['.50', '0.50'],
    ['1.000000e+00', '1.000000'],
    ['1.50E-3', '0.00150'],
    ['1.50E1', '15.0'],
    ['1.0\0', '1.0'],
  ])('has the decimal string %j as %s', (value, token) => {
    expect(written('DS', value)).toEqual([token]);
  });

  it.each(['1', '-0', '+12', '007', '5.', '1E3', '1.5E1', '0.25', '1e99', '.5', ''])(
    'has nothing to say of the decimal string %j',
    (value) => {
      expect(written('DS', value)).toBeUndefined();
    },
  );

  it.each<[VR, string, unknown]>([
    ['LO', 'X\0', ['X\0']],
    ['LO', ' X\0 ', ['X\0']],
    ['CS', 'A\\B\0', [null, 'B\0']],
    ['LT', 'a\\b\0\0', ['a\\b\0\0']],
    ['LO', '\0', ['\0']],
    ['DS', 'wide\0', ['wide\0']],
    ['PN', 'A^B\0=C', undefined],
    ['PN', 'A^B=C\0', [{ Alphabetic: 'A^B', Ideographic: 'C\0' }]],
    ['UI', '1.2.3\0', undefined],
    ['IS', '7\0', undefined],
    ['LO', 'A\0B', undefined],
    ['US', '\0\0', undefined],
    ['OB', '\0\0', undefined],
  ])('of %s %j keeps the nulls at the end', (vr, value, expected) => {
    expect(written(vr, value)).toEqual(expected);
  });

  it('says the same number as the model, in JSON', () => {
    const digits = fc.stringMatching(/^[0-9]{1,6}$/);
    const decimals = fc
      .tuple(
        fc.constantFrom('', '+', '-'),
        digits,
        fc.option(digits),
        fc.option(fc.integer({ min: -12, max: 12 })),
      )
      .map(
        ([sign, whole, fraction, exponent]) =>
          `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
      );
    fc.assert(
      fc.property(decimals, (text) => {
        const [token] = written('DS', text) ?? [];
        if (typeof token === 'string') expect(JSON.parse(token)).toBe(Number(text));
      }),
    );
  });
});

describe('stringifyDataSet with a spelling', () => {
  it('shows every value as its file has it, in items too', () => {
    const text = spelled(
      rawElement('00080070', 'LO', 'ACME\0'),
      rawSequence(
        '00081140',
        rawDataSet(rawElement('00080100', 'SH', 'plain')),
        rawDataSet(rawElement('00400312', 'DS', '2.50\\1\\3.0')),
      ),
      rawElement('00101030', 'DS', '70.0'),
      rawElement('00104000', 'LT', '\0\0'),
    );
    expect(text).toBe(
      '{"00080070":{"vr":"LO","Value":["ACME\\u0000"]},' +
        '"00081140":{"vr":"SQ","Value":[{"00080100":{"vr":"SH","Value":["plain"]}},' +
        '{"00400312":{"vr":"DS","Value":[2.50,1,3.0]}}]},' +
        '"00101030":{"vr":"DS","Value":[70.0]},' +
        '"00104000":{"vr":"LT","Value":["\\u0000\\u0000"]}}',
    );
  });

  it('changes nothing where the file spells as the model does', () => {
    const raw = rawDataSet(
      rawElement('00101030', 'DS', '70'),
      rawElement('00080070', 'LO', 'ACME '),
    );
    expect([...spellingsOf(raw)]).toEqual([]);
  });

  it('passes over what the data set does not have', () => {
    expect(stringifyDataSet({}, { ['00101030' as never]: ['70.0'] })).toBe('{}');
  });
});
