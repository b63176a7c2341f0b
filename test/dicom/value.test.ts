import { describe, expect, it } from '@jest/globals';
import type { DataSet } from '../../src/dicom/data-set.js';
import {
  isPersonName,
  itemsOf,
  numberOf,
  pick,
  stringOf,
  stringsOf,
} from '../../src/dicom/value.js';
import { tag } from '../support/dicom/raw-data-set.js';

const name = tag('00100010');
const uid = tag('0020000D');
const number = tag('00200013');
const thickness = tag('00180050');
const types = tag('00080008');
const sequence = tag('00081140');

const item: DataSet = { [uid]: { vr: 'UI', Value: ['1.2'] } };
const dataSet: DataSet = {
  [types]: { vr: 'CS', Value: ['ORIGINAL', null, 'AXIAL'] },
  [sequence]: { vr: 'SQ', Value: [item] },
  [name]: { vr: 'PN', Value: [{ Alphabetic: 'A^B', Phonetic: 'C' }] },
  [thickness]: { vr: 'DS', Value: ['1,5'] },
  [uid]: { vr: 'UI' },
  [number]: { vr: 'IS', Value: [7] },
};

describe('stringOf', () => {
  it('is the first value as text', () => {
    expect(stringOf(dataSet, types)).toBe('ORIGINAL');
    expect(stringOf(dataSet, number)).toBe('7');
  });

  it('joins the groups of a name', () => {
    expect(stringOf(dataSet, name)).toBe('A^B==C');
    expect(stringOf({ [name]: { vr: 'PN', Value: [{ Ideographic: 'X' }] } }, name)).toBe('=X');
  });

  it('is undefined for what is absent, empty or a sequence', () => {
    expect(stringOf(dataSet, tag('00080020'))).toBeUndefined();
    expect(stringOf(dataSet, uid)).toBeUndefined();
    expect(stringOf(dataSet, sequence)).toBeUndefined();
    expect(stringOf({ [types]: { vr: 'CS', Value: [null, 'A'] } }, types)).toBeUndefined();
  });
});

describe('stringsOf', () => {
  it('leaves empty values out', () => {
    expect(stringsOf(dataSet, types)).toEqual(['ORIGINAL', 'AXIAL']);
    expect(stringsOf(dataSet, uid)).toEqual([]);
  });
});

describe('numberOf', () => {
  it('reads numbers and decimal strings', () => {
    expect(numberOf(dataSet, number)).toBe(7);
    expect(numberOf({ [number]: { vr: 'UV', Value: ['9007199254740993'] } }, number)).toBe(2 ** 53);
  });

  it('is undefined for what is no finite number', () => {
    expect(numberOf(dataSet, thickness)).toBeUndefined();
    expect(numberOf({ [number]: { vr: 'FL', Value: ['NaN'] } }, number)).toBeUndefined();
    expect(numberOf({ [number]: { vr: 'LO', Value: [' '] } }, number)).toBeUndefined();
    expect(numberOf(dataSet, uid)).toBeUndefined();
  });
});

describe('itemsOf', () => {
  it('has the items of a sequence, none for anything else', () => {
    expect(itemsOf(dataSet, sequence)).toEqual([item]);
    expect(itemsOf(dataSet, types)).toEqual([]);
    expect(itemsOf({ [sequence]: { vr: 'SQ' } }, sequence)).toEqual([]);
  });
});

describe('pick', () => {
  it('has what was asked for and is there', () => {
    expect(pick(dataSet, [uid, number, tag('00080020')])).toEqual({
      [uid]: { vr: 'UI' },
      [number]: { vr: 'IS', Value: [7] },
    });
  });
});

describe('isPersonName', () => {
  it('tells names from items and other values', () => {
    expect(isPersonName({ Phonetic: 'x' })).toBe(true);
    expect(isPersonName(item)).toBe(false);
    expect(isPersonName({})).toBe(false);
    expect(isPersonName('A^B')).toBe(false);
    expect(isPersonName(null)).toBe(false);
  });
});
