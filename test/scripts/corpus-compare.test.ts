import { describe, expect, it } from '@jest/globals';
import { compareDataSets } from '../../scripts/corpus/compare.js';
import type { Finding } from '../../scripts/corpus/compare.js';
import { digest, normalise } from '../../scripts/corpus/normal-form.js';
import { explain } from '../../scripts/corpus/tables.js';

/** Compares our element at one tag with what the oracles say of it. */
function compare(ours: unknown, ...theirs: readonly unknown[]): readonly Finding[] {
  const dataSet = (element: unknown): ReturnType<typeof normalise> =>
    normalise(element === undefined ? {} : { '00100010': element });
  return compareDataSets(
    dataSet(ours),
    theirs.map((element, index) => ({ name: `oracle ${index}`, dataSet: dataSet(element) })),
  );
}

const base64 = (length: number): string => Buffer.alloc(length, 7).toString('base64');
const bytes = (length: number): unknown => digest(Buffer.alloc(length, 7));

describe('compareDataSets', () => {
  it.each([
    ['numbers written as strings', { vr: 'DS', Value: [1.5] }, { vr: 'DS', Value: ['1.50'] }],
    ['trailing padding', { vr: 'LO', Value: ['a'] }, { vr: 'LO', Value: ['a '] }],
    ['a null at the end', { vr: 'UI', Value: ['1.2'] }, { vr: 'UI', Value: ['1.2\0'] }],
    ['leading spaces of short text', { vr: 'CS', Value: ['A'] }, { vr: 'CS', Value: [' A'] }],
    ['empty and missing values', { vr: 'SH' }, { vr: 'SH', Value: [''] }],
    ['null and an empty string', { vr: 'CS', Value: ['A', null] }, { vr: 'CS', Value: ['A', ''] }],
    ['single precision', { vr: 'FL', Value: [0.1] }, { vr: 'FL', Value: [0.10000000149011612] }],
    [
      'doubles in the last place',
      { vr: 'FD', Value: [0.02622878766196998] },
      { vr: 'FD', Value: [0.026228787661969975] },
    ],
    [
      'empty name groups',
      { vr: 'PN', Value: [{ Alphabetic: 'A^B' }] },
      { vr: 'PN', Value: [{ Alphabetic: 'A^B', Ideographic: '' }] },
    ],
    ['inline bytes', { vr: 'OB', InlineBinary: base64(256) }, { vr: 'OB', Bytes: bytes(256) }],
    ['a reference to many', { vr: 'OB', BulkDataURI: 'x' }, { vr: 'OB', Bytes: bytes(257) }],
    ['a reference to frames', { vr: 'OB', BulkDataURI: 'x' }, { vr: 'OB', Encapsulated: true }],
    ['an empty sequence', { vr: 'SQ' }, { vr: 'SQ', Value: [] }],
  ])('overlooks %s', (_what, ours, theirs) => {
    expect(compare(ours, theirs)).toEqual([]);
  });

  it.each([
    ['another value', { vr: 'LO', Value: ['a'] }, { vr: 'LO', Value: ['b'] }],
    ['another VR', { vr: 'LO', Value: ['a'] }, { vr: 'SH', Value: ['a'] }],
    ['another number', { vr: 'IS', Value: [1] }, { vr: 'IS', Value: ['2'] }],
    ['a value too few', { vr: 'CS', Value: ['a'] }, { vr: 'CS', Value: ['a', 'b'] }],
    ['leading spaces of long text', { vr: 'LT', Value: ['a'] }, { vr: 'LT', Value: [' a'] }],
    ['doubles apart', { vr: 'FD', Value: [1] }, { vr: 'FD', Value: [1.000001] }],
    [
      '64-bit integers that a double confuses',
      { vr: 'UV', Value: ['9007199254740993'] },
      { vr: 'UV', Value: ['9007199254740992'] },
    ],
    ['an absent attribute', undefined, { vr: 'LO', Value: ['a'] }],
    ['an invented attribute', { vr: 'LO', Value: ['a'] }, undefined],
    [
      'another name group',
      { vr: 'PN', Value: [{ Alphabetic: 'A' }] },
      { vr: 'PN', Value: [{ Ideographic: 'A' }] },
    ],
    ['other bytes', { vr: 'OB', InlineBinary: 'AAAA' }, { vr: 'OB', Bytes: bytes(3) }],
    ['few bytes by reference', { vr: 'OB', BulkDataURI: 'x' }, { vr: 'OB', Bytes: bytes(256) }],
    ['many bytes inline', { vr: 'OB', InlineBinary: base64(257) }, { vr: 'OB', Bytes: bytes(257) }],
    ['a short text by reference', { vr: 'LT', BulkDataURI: 'x' }, { vr: 'LT', Value: ['a'] }],
    ['items too few', { vr: 'SQ', Value: [{}] }, { vr: 'SQ', Value: [{}, {}] }],
  ])('finds %s', (_what, ours, theirs) => {
    expect(compare(ours, theirs, theirs)).toMatchObject([{ path: '00100010', kind: 'mismatch' }]);
  });

  it('finds a difference inside a sequence and says where', () => {
    const sequence = (value: string): unknown => ({
      vr: 'SQ',
      Value: [{}, { '00080100': { vr: 'SH', Value: [value] } }],
    });
    expect(compare(sequence('a'), sequence('b'))).toEqual([
      {
        path: '00100010/1/00080100',
        kind: 'mismatch',
        statements: ['ours SH ["a"]', 'oracle 0 SH ["b"]'],
      },
    ]);
  });

  it('expects pixel data by reference, however few', () => {
    const few = {
      name: 'oracle',
      dataSet: normalise({ '7FE00010': { vr: 'OW', Bytes: bytes(8) } }),
    };
    const reference = normalise({ '7FE00010': { vr: 'OW', BulkDataURI: 'x' } });
    const inline = normalise({ '7FE00010': { vr: 'OW', InlineBinary: base64(8) } });
    expect(compareDataSets(reference, [few])).toEqual([]);
    expect(compareDataSets(inline, [few])).toHaveLength(1);
  });

  it('takes one oracle on our side as enough, and says that they are divided', () => {
    const [a, b] = [
      { vr: 'LO', Value: ['a'] },
      { vr: 'LO', Value: ['b'] },
    ];
    expect(compare(a, a, b)).toMatchObject([{ kind: 'divided' }]);
    expect(compare(a, b, { vr: 'LO', Value: ['c'] })).toMatchObject([{ kind: 'mismatch' }]);
  });

  it('does not count an oracle that cannot read a value', () => {
    const unreadable = { vr: 'IS', Unreadable: 'not a number' };
    expect(compare({ vr: 'IS', Value: ['1A'] }, unreadable)).toEqual([]);
    expect(compare({ vr: 'IS', Value: ['1A'] }, unreadable, { vr: 'IS' })).toHaveLength(1);
  });

  it('does not count an oracle on what it is silent about, at any depth', () => {
    const nested = normalise({
      '00880200': { vr: 'SQ', Value: [{ '7FE00010': { vr: 'OB', BulkDataURI: 'x' } }] },
    });
    const without = normalise({ '00880200': { vr: 'SQ', Value: [{}] } });
    const oracle = { name: 'oracle', dataSet: without };
    expect(compareDataSets(nested, [oracle])).toHaveLength(1);
    expect(compareDataSets(nested, [{ ...oracle, silentOn: new Set(['7FE00010']) }])).toEqual([]);
  });

  it('ignores group lengths and file meta information', () => {
    const lengths = { '00080000': { vr: 'UL', Value: [1] }, '00020010': { vr: 'UI' } };
    expect(compareDataSets(normalise(lengths), [{ name: 'o', dataSet: normalise({}) }])).toEqual(
      [],
    );
  });
});

describe('explain', () => {
  const finding: Finding = { path: '00400275/0/00091002', kind: 'mismatch', statements: [] };
  const why = 'because';

  it('matches files by glob and tags by their last part', () => {
    const explanations = [{ files: 'folder/*.dcm', tag: '0009xx02', why }];
    expect(explain('folder/a.dcm', finding, explanations)).toBe(explanations[0]);
    expect(explain('other/a.dcm', finding, explanations)).toBeUndefined();
    expect(explain('folder/a.dcmX', finding, explanations)).toBeUndefined();
  });

  it('knows private tags', () => {
    const explanations = [{ files: '*', tag: 'private', why }];
    expect(explain('a', finding, explanations)).toBe(explanations[0]);
    expect(explain('a', { ...finding, path: '00400275' }, explanations)).toBeUndefined();
  });
});
