import { describe, expect, it } from '@jest/globals';
import type { Element, Value } from '../../../../src/dicom/data-set.js';
import { normalisedValues } from '../../../../src/dicom/normalise.js';
import type { Matching, NameMatching } from '../../../../src/dicomweb/search/match/demand.js';
import { combineDateAndTime } from '../../../../src/dicomweb/search/match/intervals.js';
import { compilePredicates, isUniversal } from '../../../../src/dicomweb/search/match/matching.js';
import type { SearchKey } from '../../../../src/dicomweb/search/match/search-keys.js';
import { tag } from '../../../support/dicom/raw-data-set.js';

type VR = Element['vr'];

function keyOf(vr: VR, name = '00100020', ...within: string[]): SearchKey {
  return { tag: tag(name), within: within.map(tag), level: 'study', vr, inDataSet: false };
}

const plain: Matching = {
  names: 'exact',
  letterCase: 'folded',
  emptyValues: false,
  multipleValues: false,
};

function matches(
  vr: VR,
  text: string,
  values: readonly Value[],
  matching: Partial<Matching> = {},
): boolean {
  return compilePredicates([{ key: keyOf(vr), text }], { ...plain, ...matching }).every((one) =>
    one.matches(() => ({ vr, Value: values })),
  );
}

function narrowingOf(vr: VR, text: string, matching: Partial<Matching> = {}) {
  return compilePredicates([{ key: keyOf(vr), text }], { ...plain, ...matching })[0]?.narrowing;
}

describe('compilePredicates', () => {
  it.each([
    ['3', [2, 3, 4], [3]],
    ['3-', [2, 3, 4], [3, 4]],
    ['-3', [2, 3, 4], [2, 3]],
    ['3-3', [2, 3, 4], [3]],
    ['0-10', [2, 10, 11], [2, 10]],
  ])('as a count: %s of %j leaves %j', (text, stored, left) => {
    const [predicate] = compilePredicates(
      [{ key: { ...keyOf('IS'), isCount: true }, text }],
      plain,
    );
    const found = stored.filter((value) =>
      predicate?.matches(() => ({ vr: 'IS', Value: [value] })),
    );
    expect(found).toEqual(left);
  });

  it.each(['', '-', 'x', '1.5', '4-3', '1-2-3'])('takes no %j for a count', (text) => {
    const key = { ...keyOf('IS'), isCount: true };
    expect(() => compilePredicates([{ key, text }], plain)).toThrow(/PatientID/);
  });

  it('asks an index for what stands before a sigma, of which it holds either form', () => {
    expect(narrowingOf('LO', 'ΟΔΟΣ')).toEqual({ kind: 'prefix', prefix: 'οδο' });
    expect(narrowingOf('LO', 'οδοσ')).toEqual({ kind: 'prefix', prefix: 'οδο' });
    expect(narrowingOf('LO', 'ΣΑ')).toBeUndefined();
    expect(narrowingOf('LO', 'a\\ΟΔΟΣ')).toBeUndefined();
  });

  it.each<[VR, string, Value, boolean]>([
    ['LO', 'abc', 'ABC ', true],
    ['LO', 'abc \0', 'abc', true],
    ['LO', 'abc', 'abcd', false],
    ['LO', 'a*d', 'abcd', true],
    ['LO', 'a?c', 'abc', true],
    ['LO', 'a?c', 'ac', false],
    ['LO', '*a*a*', 'xaxa', true],
    ['LO', 'x\\ab*', 'abc', true],
    ['LO', 'a,b', 'a,b', true],
    ['LO', 'a,b', 'a', false],
    ['LT', 'a\\b', 'a\\b', true],
    ['LT', 'a\\b', 'a', false],
    ['CS', 'ct,mr', 'MR', true],
    ['CS', 'C?,MR', 'CT', true],
    ['UI', '1.2,1.3', '1.3', true],
    ['UI', '1.2\\1.3', '1.3', true],
    ['UI', '1.2', '1.20', false],
    ['DA', '20240101-20240131', '20240131', true],
    ['DA', '-20240101', '20240102', false],
    ['TM', '10', '105959.9', true],
    ['TM', '1030-', '1029', false],
    ['DT', '2024', '20240229120000', true],
    ['IS', '007', 7, true],
    ['DS', '0.50', 0.5, true],
    ['US', '16', 16, true],
  ])('as %s: %s against %j is %s', (vr, text, value, expected) => {
    expect(matches(vr, text, [value])).toBe(expected);
  });

  it.each<[string, NameMatching, boolean]>([
    ['doe^jane', 'exact', true],
    ['Dôe^Jane^^', 'exact', true],
    ['山田^*', 'exact', true],
    ['nobody=山田^太郎', 'exact', true],
    ['jane', 'exact', false],
    ['jane do', 'any-order', true],
    ['do ja', 'phrase', true],
    ['ja do', 'phrase', false],
    ['*jan*', 'any-order', true],
  ])('as a name: %s, %s, is %s', (text, names, expected) => {
    const name = { Alphabetic: 'DOE^Jané', Ideographic: '山田^太郎' };
    expect(matches('PN', text, [name], { names })).toBe(expected);
  });

  it('matches any of several values, and nothing where there is none', () => {
    expect(matches('CS', 'B', ['A', 'B'])).toBe(true);
    expect(matches('CS', 'B', [])).toBe(false);
  });

  it.each<[VR, string, Value, boolean]>([
    ['LO', 'abc', 'ABC', false],
    ['LO', 'A*', 'abc', false],
    ['CS', 'ct', 'CT', false],
    ['SH', 'Ab', 'Ab ', true],
    ['PN', 'DOE', { Alphabetic: 'Doe' }, true],
    ['PN', 'd*', { Alphabetic: 'Doe' }, true],
  ])('where letter case counts, %s: %s against %j is %s', (vr, text, value, expected) => {
    expect(matches(vr, text, [value], { letterCase: 'significant' })).toBe(expected);
    // The index knows no case: it finds what is compared then.
    expect(narrowingOf(vr, text, { letterCase: 'significant' })).toEqual(narrowingOf(vr, text));
  });

  it.each<[string, string, boolean]>([
    ['muller', 'Müller', true],
    ['Nguyễn', 'nguyen', true],
    ['и', 'й', false],
    ['か', 'が', false],
    ['กน', 'กิน', false],
    ['ΟΔΟΣ', 'οδος', true],
    ['ΟΔΟΣ*', 'οδοσα', true],
  ])('folds the diacritics of Latin letters alone: %s against %s is %s', (text, name, expected) => {
    expect(matches('PN', text, [{ Alphabetic: name }])).toBe(expected);
  });

  it('finds dates and times as they were spelled before DICOM 3.0', () => {
    expect(matches('DA', '19960611', ['1996.06.11'])).toBe(true);
    expect(matches('DA', '19960101-19961231', ['1996.06.11 '])).toBe(true);
    expect(matches('TM', '1030-1031', ['10:30:59.5'])).toBe(true);
    expect(normalisedValues({ vr: 'DA', Value: ['1996.06.11'] })).toEqual(['19960611']);
  });

  it('finds what has no value, where that is asked for', () => {
    const emptyValues = true;
    expect(matches('LO', '""', [], { emptyValues })).toBe(true);
    expect(matches('DA', '""', [''], { emptyValues })).toBe(true);
    expect(matches('LO', '""', ['a'], { emptyValues })).toBe(false);
    expect(matches('LO', '""', [])).toBe(false);
    expect(narrowingOf('LO', '""', { emptyValues })).toBeUndefined();
  });

  it('asks for all of several values, where that is asked for', () => {
    const multipleValues = true;
    expect(matches('CS', 'CT\\PT', ['PT', 'MR', 'CT'], { multipleValues })).toBe(true);
    expect(matches('CS', 'CT\\PT', ['CT'], { multipleValues })).toBe(false);
    expect(matches('CS', 'CT,PT', ['CT'], { multipleValues })).toBe(true);
    expect(narrowingOf('CS', 'CT\\PT', { multipleValues })).toEqual({
      kind: 'values',
      values: ['ct'],
    });
  });

  it.each<[VR, NameMatching]>([
    ['LO', 'exact'],
    ['PN', 'exact'],
    ['PN', 'any-order'],
    ['PN', 'phrase'],
  ])('refuses a pattern of more than 256 characters: %s, %s', (vr, names) => {
    const [fits, toolong] = ['*' + '?'.repeat(255), '*' + '?'.repeat(5000)];
    const value = vr === 'PN' ? { Alphabetic: 'a'.repeat(300) } : 'a'.repeat(300);
    if (names === 'exact') expect(matches(vr, fits, [value], { names })).toBe(true);
    expect(() => matches(vr, toolong, [value], { names })).toThrow(/PatientID.*256/);
  });

  it('says how an index narrows the search', () => {
    expect(narrowingOf('LO', 'A ')).toEqual({ kind: 'values', values: ['a'] });
    expect(narrowingOf('CS', 'CT,MR')).toEqual({ kind: 'values', values: ['ct', 'mr'] });
    expect(narrowingOf('LO', 'Ab*c')).toEqual({ kind: 'prefix', prefix: 'ab' });
    expect(narrowingOf('DA', '20240101')).toEqual({ kind: 'values', values: ['20240101'] });
    expect(narrowingOf('DA', '20240101-')).toEqual({
      kind: 'interval',
      from: '20240101',
      to: undefined,
    });
    expect(narrowingOf('LO', '*b')).toBeUndefined();
    expect(narrowingOf('CS', 'C*,MR')).toBeUndefined();
    expect(narrowingOf('PN', 'doe', { names: 'any-order' })).toBeUndefined();
  });

  it('asks one item of a sequence for all its keys', () => {
    const sequence = '00400275';
    const item = (step: string, stage: string) => ({
      '00400009': { vr: 'SH', Value: [step] },
      '00401001': { vr: 'SH', Value: [stage] },
    });
    const element = { vr: 'SQ', Value: [item('A', 'B'), item('C', 'D')] } as unknown as Element;
    const meets = (step: string, stage: string) =>
      compilePredicates(
        [
          { key: keyOf('SH', sequence, '00400009'), text: step },
          { key: keyOf('SH', sequence, '00401001'), text: stage },
        ],
        plain,
      ).every((one) => one.matches(() => element));
    expect([meets('a', 'b'), meets('C', 'D'), meets('A', 'D')]).toEqual([true, true, false]);
  });

  it.each<[VR, string]>([
    ['DA', '2024'],
    ['DA', '20240230'],
    ['DA', '-'],
    ['DA', '20240101-20240102-20240103'],
    ['DA', '20240102-20240101'],
    ['TM', '2500'],
    ['IS', 'one'],
    ['DS', ' '],
  ])('refuses %s %s and names the attribute', (vr, text) => {
    expect(() => compilePredicates([{ key: keyOf(vr), text }], plain)).toThrow(/PatientID/);
  });
});

describe('combineDateAndTime', () => {
  const [date, time] = [keyOf('DA', '00080020'), keyOf('TM', '00080030')];
  const at = (days: string, hours: string) => {
    const { matches: meets } = combineDateAndTime(
      { key: date, text: days },
      { key: time, text: hours },
    );
    return (day: string, hour?: string) =>
      meets((one) => {
        const value = one === date.tag ? day : hour;
        return value === undefined ? undefined : { vr: 'DA', Value: [value] };
      });
  };

  it('makes one range of instants of two ranges', () => {
    const night = at('20240301-20240302', '2200-06');
    expect(night('20240301', '2359')).toBe(true);
    expect(night('20240302', '065959')).toBe(true);
    expect(night('20240301', '12')).toBe(false);
    expect(night('20240302', '07')).toBe(false);
  });

  it('leaves open what the date leaves open', () => {
    const since = at('20240301-', '12-');
    expect([since('20240301', '11'), since('20240301', '12'), since('20250101', '00')]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it('takes a missing time for midnight', () => {
    expect(at('20240301-20240302', '00-12')('20240301')).toBe(true);
  });

  it('refuses a range that ends before it begins', () => {
    expect(() => at('20240301-20240301', '22-06')).toThrow(/StudyTime/);
  });
});

describe('isUniversal', () => {
  it.each<[VR, string, boolean]>([
    ['LO', '', true],
    ['LO', ' \0', true],
    ['LO', '*', true],
    ['PN', '**', true],
    ['LO', '*a', false],
    ['DA', '*', false],
    ['IS', '*', false],
  ])('of %s "%s" is %s', (vr, text, expected) => {
    expect(isUniversal(keyOf(vr), text)).toBe(expected);
  });
});
