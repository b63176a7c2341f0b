/** Reading all keys of ranges, whatever their values and ages are like. */
import { describe, expect, it } from '@jest/globals';
import { attribute } from '../../../../src/dicom/attribute.js';
import type { StudyInstanceUID } from '../../../../src/dicom/uid.js';
import { chunksOfSize } from '../../../../src/group-by.js';
import { keysOfRanges } from '../../../../src/storage/archive/index/key-stretches.js';
import {
  defaultPartition,
  indexPartitionKey,
  indexRowKey,
  rowsOfInterval,
  rowsOfPrefix,
  rowsOfValue,
} from '../../../../src/storage/archive/keys.js';
import { ulidOfTime } from '../../../../src/storage/archive/ulid.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { tableLimits } from '../../../../src/storage/table-store.js';

const partitionKey = indexPartitionKey(defaultPartition, 'study', attribute('PatientID'), '');
const { signal } = new AbortController();
const count = 16_000;
const year = 365 * 24 * 3600 * 1000;

/** A table that counts queries, and how many of them are under way together. */
class WatchedTables extends MemoryTableStore {
  calls = 0;
  most = 0;
  #underWay = 0;

  override async query(...parameters: Parameters<MemoryTableStore['query']>) {
    this.calls++;
    this.most = Math.max(this.most, ++this.#underWay);
    await new Promise(setImmediate);
    const page = await super.query(...parameters);
    this.#underWay--;
    return page;
  }
}

async function filled(
  valueOf: (row: number) => string,
  timeOf: (row: number) => number,
  shortPagesSeed?: number,
) {
  const tables = new WatchedTables(shortPagesSeed === undefined ? {} : { shortPagesSeed });
  const keys = Array.from({ length: count }, (_, row) => {
    const created = ulidOfTime(timeOf(row));
    const study = `1.2.${String(row)}` as StudyInstanceUID;
    return indexRowKey({ value: valueOf(row), created, uids: { study }, write: created });
  });
  for (const some of chunksOfSize(keys, tableLimits.transactionOperations)) {
    const operations = some.map((rowKey) => ({ kind: 'upsert', rowKey, properties: {} }) as const);
    await tables.transact('searchindex', partitionKey, operations);
  }
  return { tables, keys };
}

async function read(tables: WatchedTables, ranges: Parameters<typeof keysOfRanges>[1]) {
  const found: string[] = [];
  for await (const keys of keysOfRanges(tables, ranges, signal)) found.push(...keys);
  return found.sort();
}

const all = rowsOfInterval();
const overYears = (row: number) => Date.UTC(2024, 6) + row * 60_000;
const day = (row: number) => String(79_758_898 + Math.floor(row / 700));

describe('all keys of a range', () => {
  it.each([
    ['one value, stored over a time', () => 'a', overYears, rowsOfValue('a')],
    ['one value, stored in a minute', () => 'a', (row: number) => 2 * year + row, rowsOfValue('a')],
    ['one value, stored at once', () => 'a', () => 55 * year, rowsOfValue('a')],
    ['days', day, overYears, all],
    ['days up to another', day, overYears, rowsOfInterval(undefined, '79758920')],
    ['a value for each', (row: number) => `p${String(row)}`, overYears, rowsOfPrefix('p')],
    [
      'most of one value',
      (row: number) => (row % 9 === 0 ? `doe^${String(row)}` : 'doe^ann'),
      overYears,
      rowsOfPrefix('doe^'),
    ],
    ['values of other scripts', (row: number) => `!5c71!${String(row)}`, overYears, all],
  ])('come once each: %s', async (_what, valueOf, timeOf, { from = '', to = '~' }) => {
    const { tables, keys } = await filled(valueOf, timeOf);
    const wanted = keys.filter((key) => key >= from && key < to).sort();
    expect(await read(tables, [{ partitionKey, from, to }])).toEqual(wanted);
    // Cuts that miss cost calls, but not many.
    expect(tables.calls).toBeLessThanOrEqual(2 * (wanted.length / tableLimits.pageRows) + 40);
  });

  it('come at the same time where there are many, and of short pages', async () => {
    const { tables, keys } = await filled(() => 'a', overYears, 7);
    expect(await read(tables, [{ partitionKey, ...rowsOfValue('a') }])).toEqual(keys.sort());
    expect(tables.most).toBe(8);
  });

  it('come in one call each where there are few', async () => {
    const { tables, keys } = await filled((row) => `p${String(row)}`, overYears);
    const ranges = ['p1', 'p2'].map((value) => ({ partitionKey, ...rowsOfValue(value) }));
    expect(await read(tables, ranges)).toEqual([keys[1], keys[2]]);
    expect([tables.calls, tables.most]).toEqual([2, 1]);
  });
});
