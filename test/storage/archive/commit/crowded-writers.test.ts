/** What a writer does whose study others write as well, by a clock that the calls move on. */
import { expect, it } from '@jest/globals';
import { Archive } from '../../../../src/storage/archive/archive.js';
import { growLog } from '../../../../src/storage/archive/log/log-tail.js';
import { MemoryBlobStore } from '../../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { put, upload } from '../support/fixture.js';
import { partition, type Sample } from '../support/samples.js';
import { WatchedTables, type TableCall } from '../support/watched-tables.js';

/** An archive whose calls take a time each, and whose first commits find that another process was faster. */
async function crowded(callMilliseconds: number, losses: number) {
  let time = 1_800_000_000_000;
  const inner = new MemoryTableStore({ now: () => time });
  const blobs = new MemoryBlobStore();
  const pauses: number[] = [];
  const attempts: number[] = [];
  // Each process has a shard of its own: none waits for the log.
  await growLog(inner, 16);
  const archiveOf = (tables: WatchedTables, chance: number): Archive => {
    const sleep = async (milliseconds: number) => {
      pauses.push(milliseconds);
      time += milliseconds;
      await Promise.resolve();
    };
    const rest = async () => await new Promise<void>(() => undefined);
    return new Archive({ tables, blobs, runtime: { sleep, rest, random: () => chance } });
  };
  const competitor = archiveOf(new WatchedTables(inner), 0);
  const tables = new WatchedTables(inner);
  const archive = archiveOf(tables, 0.5);
  /** Told of each attempt before it is made. */
  const before: { attempt?: (nth: number) => Promise<void> } = {};
  let isOther = false;
  tables.around = async <T>(call: TableCall, act: () => Promise<T>): Promise<T> => {
    if (!isOther) time += callMilliseconds;
    if (call.table === 'catalog' && call.operation === 'transact') {
      attempts.push(call.operations.filter(({ rowKey }) => rowKey.startsWith('2|')).length);
      const nth = attempts.length;
      if (nth <= losses) {
        isOther = true;
        await put(competitor, { study: 1, series: 9, instance: nth });
        isOther = false;
        await before.attempt?.(nth);
      }
    }
    return await act();
  };
  return { archive, before, pauses, attempts };
}

const sample: Sample = { study: 1, series: 1, instance: 1 };

it.each([20, 200])(
  'waits for a part of what attempts take, with calls of %i ms',
  async (milliseconds) => {
    const { archive, pauses } = await crowded(milliseconds, 4);
    await put(archive, sample);
    await put(archive, { ...sample, instance: 2 });
    await put(archive, { ...sample, instance: 3 });
    // After each of four races, and before the change that then gets in at once; chance takes half of two attempts, and
    // of two seconds at most. The first makes a study, with all its index rows.
    const calls = pauses.map((pause) => pause / milliseconds);
    expect(calls).toEqual([Math.min(21, 1000 / milliseconds), 3, 4, 4, 4]);
  },
);

it('waits for nobody in a study that nobody else writes', async () => {
  const { archive, pauses } = await crowded(200, 0);
  for (const instance of [1, 2, 3]) await put(archive, { ...sample, instance });
  expect(pauses).toEqual([]);
});

it('never waits for longer than two seconds, however slow storage is', async () => {
  const { archive, pauses } = await crowded(5000, 3);
  await put(archive, sample);
  expect(pauses.length).toBe(3);
  expect(Math.max(...pauses)).toBe(1000);
});

it('takes along into its next attempt what has come in while it lost', async () => {
  const { archive, before, attempts } = await crowded(20, 1);
  const later: Promise<unknown>[] = [];
  before.attempt = async () => {
    for (const instance of [2, 3]) {
      const file = await upload(archive, { ...sample, instance });
      later.push(archive.store(partition, file));
    }
  };
  expect(await put(archive, sample)).toBe('stored');
  expect(await Promise.all(later)).toEqual(['stored', 'stored']);
  expect(attempts).toEqual([1, 3]);
});
