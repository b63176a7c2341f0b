import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attribute } from '../../../../src/dicom/attribute.js';
import { normaliseName } from '../../../../src/dicom/normalise.js';
import { encodeValue } from '../../../../src/storage/archive/keys.js';
import {
  anyEnding,
  beginningOfEndings,
  endingsOf,
  turnedRound,
  wordRowsOf,
} from '../../../../src/storage/archive/index/word-index.js';

const patientName = attribute('PatientName');
const description = attribute('StudyDescription');

function endings(text: string, tag = patientName): readonly string[] {
  return endingsOf('study', tag, encodeValue(text));
}

describe('turnedRound', () => {
  it('turns the order of spelled values round', () => {
    const spelled = fc
      .string({ maxLength: 6, unit: fc.constantFrom('a', 'Z', '0', ' ', '^', '!', 'é') })
      .map(encodeValue);
    const compare = (a: string, b: string) => Number(a > b) - Number(a < b);
    fc.assert(
      fc.property(spelled, spelled, (a, b) => {
        expect(compare(turnedRound(a), turnedRound(b))).toBe(compare(b, a));
      }),
    );
  });
});

describe('wordRowsOf', () => {
  const rows = (text: string) =>
    wordRowsOf('study', attribute('ReferringPhysicianName'), encodeValue(text));

  it('gives values that end alike rows of their own, so that those of one can be removed', () => {
    const [doe, roe] = [rows('doe^ann'), rows('roe^ann')];
    expect(doe.filter((row) => row.startsWith('ann'))).toHaveLength(1);
    expect(doe.filter((row) => roe.includes(row))).toEqual([]);
  });

  it('gives values without room rows of their own, too', () => {
    const [one, other] = [rows('ab cdefghijklmnopqrstuvwxyz'), rows('xy cdefghijklmnopqrstuvwxyz')];
    expect(one).toHaveLength(1);
    expect(one[0]?.startsWith(anyEnding)).toBe(true);
    expect(one).not.toEqual(other);
  });
});

describe('endingsOf', () => {
  it('are those of every word that have three letters, with what follows', () => {
    expect(endings('smith^jo')).toEqual(['ith^jo', 'mith^jo', 'smith^jo']);
    expect(endings('lee, ann')).toEqual(['ann', 'lee, ann']);
    expect(endings('')).toEqual([]);
  });

  it('are those of every letter where one says much', () => {
    expect(endings('山田^太郎')).toHaveLength(4);
    expect(endings('やまだ')).toHaveLength(3);
  });

  it('have no room in long values, which any part may be in', () => {
    expect(endings('a'.repeat(17), description)).toHaveLength(15);
    expect(endings('abcdefghijklmnopqrstuvwxyz', description)).toEqual([anyEnding]);
    expect(endings(`${'é'.repeat(199)}x`, description)).toEqual([anyEnding]);
  });

  it('are none of attributes whose words are not indexed', () => {
    expect(endings('smith', attribute('StudyID'))).toEqual([]);
  });

  it('begin with what any part of a value says, whatever the value', () => {
    const character = fc.constantFrom(
      'a',
      'b',
      'é',
      '^',
      ' ',
      ',',
      '-',
      '山',
      'ま',
      'ガ',
      '😀',
      '!',
    );
    const texts = fc.array(character, { maxLength: 24 }).map((all) => normaliseName(all.join('')));
    fc.assert(
      fc.property(texts, fc.nat(23), fc.nat(23), (text, from, length) => {
        const beginning = beginningOfEndings(text.slice(from, from + length));
        if (beginning === undefined) return;
        const all = endings(text);
        expect(all.includes(anyEnding) || all.some((ending) => ending.startsWith(beginning))).toBe(
          true,
        );
      }),
      { numRuns: 3000 },
    );
  });
});
