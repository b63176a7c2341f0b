/** What a writer does whose study others write as well, by a clock that the calls move on. */
import { expect, it } from '@jest/globals';
import { Archive } from '../../../../src/storage/archive/archive.js';
import { growLog } from '../../../../src/storage/archive/log/log-tail.js';
import { turnPartitionKey, turnRowKey } from '../../../../src/storage/archive/keys.js';
import { MemoryBlobStore } from '../../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { put, upload } from '../support/fixture.js';
import { partition, studyUid, type Sample } from '../support/samples.js';
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
  /** Told of each attempt before it is made, and of each pause. */
  const before: {
    attempt?: (nth: number) => Promise<void>;
    pause?: (nth: number) => Promise<void>;
  } = {};
  const archiveOf = (tables: WatchedTables, chance: number): Archive => {
    const sleep = async (milliseconds: number) => {
      pauses.push(milliseconds);
      time += milliseconds;
      await before.pause?.(pauses.length);
    };
    const rest = async () => await new Promise<void>(() => undefined);
    return new Archive({ tables, blobs, runtime: { sleep, rest, random: () => chance } });
  };
  const competitor = archiveOf(new WatchedTables(inner), 0);
  const tables = new WatchedTables(inner);
  const archive = archiveOf(tables, 0.5);
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
  const turn = ['registry', turnPartitionKey(partition, studyUid(1)), turnRowKey] as const;
  return { archive, tables, before, pauses, attempts, inner, turn, now: () => time };
}

const sample: Sample = { study: 1, series: 1, instance: 1 };

it.each([
  [20, 10.5],
  [200, 5],
])(
  'waits once for its turn, for a part of what an attempt takes, with calls of %i ms',
  async (milliseconds, first) => {
    const { archive, pauses } = await crowded(milliseconds, 4);
    for (const instance of [1, 2, 3]) await put(archive, { ...sample, instance });
    // Half an attempt, and of two seconds at most. The first one makes a study, with all its index rows. The change that
    // has lost keeps its turn until it is in; the next has it at once, meets nobody, and the third does without.
    expect(pauses.map((pause) => pause / milliseconds)).toEqual([first, 2]);
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
  expect(pauses).toEqual([1000]);
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

it('waits while another has the turn, and leaves it to the next when its change is in', async () => {
  const { archive, pauses, attempts, before, inner, turn } = await crowded(20, 1);
  const [table, key, rowKey] = turn;
  before.attempt = async () => {
    await inner.transact(table, key, [{ kind: 'insert', rowKey, properties: {} }]);
  };
  before.pause = async (nth) => {
    expect(attempts).toHaveLength(1);
    if (nth === 10) await inner.transact(table, key, [{ kind: 'delete', rowKey }]);
  };
  expect(await put(archive, sample)).toBe('stored');
  expect([pauses.length, attempts.length]).toEqual([10, 2]);
  await archive.close();
  expect(await inner.get(...turn)).toBeUndefined();
});

it.each([
  [20, 0],
  [200, 0],
  [20, 600_000],
])(
  'takes the turn after five seconds from one who has died with it, with calls of %i ms and its clock %i ms behind',
  async (milliseconds, behind) => {
    const { archive, tables, pauses, inner, turn, now } = await crowded(milliseconds, 1);
    tables.now = () => now() - behind;
    const [table, key, rowKey] = turn;
    await inner.transact(table, key, [{ kind: 'insert', rowKey, properties: {} }]);
    const begun = now();
    expect(await put(archive, sample)).toBe('stored');
    // Beside what two attempts take, some twenty calls each.
    expect(now() - begun - 45 * milliseconds).toBeLessThan(6500);
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(4000);
    await archive.close();
    expect(await inner.get(...turn)).toBeUndefined();
  },
);

it('waits on while others have the turn, none of them for long', async () => {
  const { archive, attempts, before, inner, turn, now } = await crowded(20, 1);
  const [table, key, rowKey] = turn;
  const taken = { kind: 'upsert', rowKey, properties: {} } as const;
  await inner.transact(table, key, [taken]);
  const begun = now();
  before.pause = async () => {
    expect(attempts).toHaveLength(1);
    const isOver = now() - begun > 12_000;
    await inner.transact(table, key, [isOver ? { kind: 'delete', rowKey } : taken]);
  };
  expect(await put(archive, sample)).toBe('stored');
  expect(now() - begun).toBeGreaterThan(12_000);
});
