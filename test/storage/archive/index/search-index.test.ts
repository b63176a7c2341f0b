import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attribute } from '../../../../src/dicom/attribute.js';
import type { DataSet } from '../../../../src/dicom/data-set.js';
import {
  mergeAttributes,
  studyAttributes,
} from '../../../../src/storage/archive/index/attributes.js';
import type { Indexes } from '../../../../src/storage/archive/records.js';
import {
  addressOf,
  changeIndexes,
  indexedValue,
  rowsOf,
  SearchIndex,
  type IndexRow,
} from '../../../../src/storage/archive/index/search-index.js';
import { newUlid } from '../../../../src/storage/archive/ulid.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { openOnAzurite } from '../support/fixture.js';
import { dataSetOf, partition, studyUid } from '../support/samples.js';
import { Failing, WatchedTables } from '../support/watched-tables.js';

const created = newUlid();
const owner = { partition, level: 'study', uids: { study: studyUid(1) }, created } as const;
const patientId = attribute('PatientID');
const patientName = attribute('PatientName');
const studyDate = attribute('StudyDate');

const named = (id: string): DataSet => ({ [patientId]: { vr: 'LO', Value: [id] } });
const keys = (rows: readonly IndexRow[]) => rows.map((row) => addressOf(row).rowKey).sort();

describe('changeIndexes', () => {
  it('moves the row of a value that changes and leaves the others', () => {
    const before = changeIndexes(
      owner,
      dataSetOf({ study: 1, series: 1, instance: 1 }),
      {},
      newUlid(),
    );
    const write = newUlid();
    const after = changeIndexes(
      owner,
      dataSetOf({ study: 1, series: 1, instance: 1, patient: 'P2' }),
      before.indexes,
      write,
    );
    expect(after.added.map(({ tag, value, write: by }) => [tag, value, by])).toEqual(
      expect.arrayContaining([
        [patientId, 'p2', write],
        [patientName, 'p2^ann', write],
      ]),
    );
    expect(after.added).toHaveLength(2);
    expect(after.removed.map(({ value }) => value).sort()).toEqual(['p1', 'p1^ann']);
    const left = [...rowsOf(owner, before.indexes), ...after.added];
    const gone = new Set(keys(after.removed));
    expect(keys(left).filter((key) => !gone.has(key))).toEqual(keys(rowsOf(owner, after.indexes)));
  });

  it('adds and removes nothing when nothing changes', () => {
    const first = changeIndexes(
      owner,
      dataSetOf({ study: 1, series: 1, instance: 1 }),
      {},
      newUlid(),
    );
    const again = changeIndexes(
      owner,
      dataSetOf({ study: 1, series: 1, instance: 2 }),
      first.indexes,
      newUlid(),
    );
    expect(again).toEqual({ indexes: first.indexes, added: [], removed: [] });
  });

  it('indexes one row per value and per component group of a name', () => {
    const { added } = changeIndexes(
      owner,
      {
        [patientName]: {
          vr: 'PN',
          Value: [{ Alphabetic: 'A^B', Ideographic: '山田', Phonetic: 'や' }],
        },
        [attribute('PatientID')]: { vr: 'LO', Value: ['x', 'X ', 'y'] },
      },
      {},
      newUlid(),
    );
    expect(added.map(({ value }) => value).sort()).toEqual([
      '!3084',
      '!5c71!7530',
      'a^b',
      'x',
      'y',
    ]);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'finds a value that is spelled "%s"',
    (value) => {
      const write = newUlid();
      const { added, indexes } = changeIndexes(owner, named(value), {}, write);
      expect(added).toHaveLength(1);
      const kept = JSON.parse(JSON.stringify(indexes)) as Indexes;
      expect(rowsOf(owner, kept)).toEqual(added);
      expect(changeIndexes(owner, named(value), kept, newUlid()).added).toEqual([]);
      expect(changeIndexes(owner, {}, kept, newUlid()).removed).toEqual(added);
    },
  );

  it('keeps record and rows alike through any history of values', () => {
    const value = fc.oneof(
      fc.constantFrom('constructor', '__proto__', 'A', 'a ', ''),
      fc.string({ unit: 'binary', maxLength: 8 }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(value, { maxLength: 3 }), { maxLength: 6 }), (history) => {
        let known: Indexes = {};
        let there = new Set<string>();
        for (const values of history) {
          const dataSet: DataSet = { [patientId]: { vr: 'LO', Value: values } };
          const change = changeIndexes(owner, dataSet, known, newUlid());
          const gone = new Set(keys(change.removed));
          there = new Set([...[...there].filter((key) => !gone.has(key)), ...keys(change.added)]);
          known = JSON.parse(JSON.stringify(change.indexes)) as Indexes;
          expect([...there].sort()).toEqual(keys(rowsOf(owner, known)));
        }
      }),
    );
  });
});

describe('mergeAttributes', () => {
  const merge = (known: DataSet, newest: DataSet) =>
    mergeAttributes(known, newest, studyAttributes);

  it('lets the newest value win', () => {
    expect(merge(named('old'), named('new'))).toEqual(named('new'));
  });

  it.each<[string, DataSet]>([
    ['missing', {}],
    ['empty', { [patientId]: { vr: 'LO' } }],
    ['of empty values', { [patientId]: { vr: 'LO', Value: [null, ''] } }],
    ['too long for the row', named('x'.repeat(2000))],
  ])('keeps the known value when the newest is %s', (_, newest) => {
    expect(merge(named('old'), newest)).toEqual(named('old'));
  });

  it('notes an empty attribute while no value is known, and drops what is not of the level', () => {
    const newest: DataSet = {
      [patientId]: { vr: 'LO' },
      [attribute('Modality')]: { vr: 'CS', Value: ['CT'] },
    };
    expect(merge({}, newest)).toEqual({ [patientId]: { vr: 'LO' } });
  });
});

describe('SearchIndex', () => {
  function row(value: string, study = 1): IndexRow {
    const write = newUlid();
    return {
      partition,
      level: 'study',
      uids: { study: studyUid(study) },
      created: write,
      tag: patientId,
      value,
      write,
    };
  }

  async function walk(index: SearchIndex, tag = patientId, from?: string, to?: string) {
    const found: string[] = [];
    const sought = { kind: 'interval', from, to } as const;
    for await (const { value } of index.walk(partition, { level: 'study', tag }, sought, {
      firstPageRows: 3,
    }))
      found.push(value);
    return found;
  }

  it('writes, finds and removes more rows than a transaction holds, page by page', async () => {
    const index = new SearchIndex(new MemoryTableStore({ shortPagesSeed: 5 }));
    const rows = Array.from({ length: 250 }, (_, n) => row(`v${String(n).padStart(3, '0')}`));
    await index.insert([...rows, ...rows]);
    expect(await walk(index)).toEqual(rows.map(({ value }) => value));
    await index.remove(rows.slice(10));
    expect(await walk(index)).toHaveLength(10);
  });

  it('keeps values apart by whatever character they begin and end with, on Azurite', async () => {
    const { archives } = await openOnAzurite(1);
    const index = archives[0]?.index;
    if (index === undefined) throw new RangeError('no archive');
    const characters = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n));
    const values = characters.flatMap((one) => [`${one}a`, `a${one}a`, `b${one}`, `${one},`]);
    const rows = values.map((value) => row(indexedValue(patientId, value)));
    await index.insert(rows);
    const spelled = [...new Set(rows.map(({ value }) => value))];
    expect(new Set(await walk(index))).toEqual(new Set(spelled));
    await index.remove(rows);
    expect(await walk(index)).toEqual([]);
  });

  it('removes what is there although some of it is gone already', async () => {
    const index = new SearchIndex(new MemoryTableStore());
    const rows = ['a', 'b', 'c', 'd'].map((value) => row(value));
    await index.insert(rows);
    await index.remove(rows.filter((_, position) => position % 2 === 0));
    await index.remove(rows);
    await index.remove(rows);
    expect(await walk(index)).toEqual([]);
  });

  it('walks dates from the latest on, within both ends', async () => {
    const index = new SearchIndex(new MemoryTableStore());
    const days = ['20231231', '20240101', '20240131', '20240201'];
    await index.insert(
      days.flatMap((day) => {
        const dataSet: DataSet = { [studyDate]: { vr: 'DA', Value: [day] } };
        return changeIndexes({ ...owner, created: newUlid() }, dataSet, {}, newUlid()).added;
      }),
    );
    const mirrored = (some: readonly string[]) =>
      some.map((day) => day.replace(/[0-9]/g, (digit) => String(9 - Number(digit))));
    expect(await walk(index, studyDate)).toEqual(mirrored([...days].reverse()));
    expect(await walk(index, studyDate, '20240101', '20240131')).toEqual(
      mirrored(['20240131', '20240101']),
    );
  });

  it('writes all partitions at once, and removes from a few at a time', async () => {
    const tables = new WatchedTables(new MemoryTableStore());
    const index = new SearchIndex(tables);
    let [underWay, most] = [0, 0];
    tables.around = async (_call, act) => {
      most = Math.max(most, ++underWay);
      await new Promise(setImmediate);
      underWay--;
      return await act();
    };
    const sample = dataSetOf({ study: 1, series: 1, instance: 1 });
    const { added } = changeIndexes(owner, sample, {}, newUlid());
    await index.insert(added);
    // The words of all values are written together.
    expect(most).toBe(added.length + 1);
    most = 0;
    await index.remove(added);
    expect(most).toBe(4);
    expect(await tables.rows('searchindex')).toEqual([]);
  });

  it('answers only after everything has ended, also when a part has failed', async () => {
    const tables = new WatchedTables(new MemoryTableStore());
    const index = new SearchIndex(tables);
    let ended = 0;
    const failing = new Failing((_, position) => (position === 0 ? 'not done' : undefined));
    tables.around = async (call, act) => {
      const answer = failing.around(call, act);
      // Each call ends some turns of the event loop after the one before it.
      for (let left = failing.calls; left > 0; left--) await new Promise(setImmediate);
      ended++;
      return await answer;
    };
    const { added } = changeIndexes(
      owner,
      dataSetOf({ study: 1, series: 1, instance: 1 }),
      {},
      newUlid(),
    );
    await expect(index.insert(added)).rejects.toMatchObject({ code: 'storage-unavailable' });
    // The words of all values are written together.
    expect(ended).toBe(added.length + 1);
  });
});
