import { describe, expect, it } from '@jest/globals';
import {
  logBucketEntries,
  logHeadKey,
  logPartitionKey,
  logRecoveredKey,
  logTailRowKey,
} from '../../../src/storage/archive/keys.js';
import { ChangeLog } from '../../../src/storage/archive/change-log.js';
import type { LogEntry } from '../../../src/storage/archive/log-entry.js';
import { newUlid } from '../../../src/storage/archive/ulid.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { partition, uidsOf } from './support/fixture.js';
import { survey } from './support/survey.js';
import { dawdling, Failing, WatchedTables, type Flavour } from './support/watched-tables.js';

function entry(instance = 1): LogEntry {
  const version = newUlid();
  const uids = uidsOf({ study: 1, series: 1, instance });
  return { ...uids, partition, action: 'Create', version, write: version };
}

const entries = (many: number) => Array.from({ length: many }, (_, position) => entry(position));

async function append(log: ChangeLog, some: readonly LogEntry[]): Promise<readonly number[]> {
  const appended = await Promise.all(some.map(async (one) => await log.append(one)));
  return appended.map(({ sequence }) => sequence);
}

function open() {
  const tables = new WatchedTables(new MemoryTableStore());
  return {
    tables,
    log: new ChangeLog(tables),
    read: async () => (await survey({ tables: [tables] })).log,
  };
}

const upTo = (last: number) => Array.from({ length: last }, (_, position) => position + 1);

describe('ChangeLog', () => {
  it('numbers entries from one on, without gaps', async () => {
    const { log, read } = open();
    const some = entries(3);
    for (const [position, one] of some.entries()) {
      expect(await append(log, [one])).toEqual([position + 1]);
    }
    expect((await read()).map(({ version }) => version)).toEqual(
      some.map(({ version }) => version),
    );
  });

  it('puts what is appended at once into as few transactions as hold it', async () => {
    const { tables, log } = open();
    await append(log, entries(1));
    const failing = new Failing(() => undefined);
    tables.around = failing.around;
    expect(await append(log, entries(200))).toEqual(upTo(201).slice(1));
    expect(failing.calls).toBe(3);
  });

  it('goes on where another process has left off', async () => {
    const { tables, log } = open();
    await append(log, entries(2));
    expect(await append(new ChangeLog(tables), entries(1))).toEqual([3]);
    expect(await append(log, entries(1))).toEqual([4]);
  });

  it.each([1, 2, 3, 4, 5])(
    'loses nothing when processes append at once (seed %i)',
    async (seed) => {
      const inner = new MemoryTableStore();
      const [one, other] = [new WatchedTables(inner), new WatchedTables(inner)];
      one.around = dawdling(seed);
      other.around = dawdling(seed + 100);
      const some = entries(60);
      const logs = [new ChangeLog(one), new ChangeLog(other)];
      const rounds = logs.map(async (log, process) => {
        const sequences: number[] = [];
        for (let first = process; first < some.length; first += 6) {
          const together = [some[first], some[first + 2], some[first + 4]];
          sequences.push(
            ...(await append(
              log,
              together.filter((each) => each !== undefined),
            )),
          );
        }
        return sequences;
      });
      const sequences = (await Promise.all(rounds)).flat();
      expect(sequences.sort((a, b) => a - b)).toEqual(upTo(60));
      const { log } = await survey({ tables: [one] });
      expect(log.map(({ version }) => version).sort()).toEqual(
        some.map(({ version }) => version).sort(),
      );
    },
  );

  it('stamps entries with times that ascend, also when a clock of another process runs ahead', async () => {
    const { tables, log } = open();
    await append(log, entries(2));
    const ahead = (BigInt(Date.now()) + 3_600_000n) * 10_000n;
    await tables.transact('log', logPartitionKey(0), [
      { kind: 'upsert', rowKey: logTailRowKey, properties: { next: 3n, ticks: ahead } },
    ]);
    await append(new ChangeLog(tables), entries(3));
    const rows = (await tables.rows('log')).filter(({ rowKey }) => /^\d+$/.test(rowKey));
    const ticks = rows.map(({ properties }) => BigInt(String(properties['ticks'])));
    expect(ticks.slice(2)).toEqual([ahead + 1n, ahead + 2n, ahead + 3n]);
  });

  describe('at the end of a bucket', () => {
    async function nearTheEnd(free: number) {
      const opened = open();
      const next = BigInt(logBucketEntries + 1 - free);
      await opened.tables.transact('log', logPartitionKey(0), [
        { kind: 'insert', rowKey: logTailRowKey, properties: { next, ticks: 0n } },
      ]);
      return opened;
    }

    it.each([0, 1, 3, 5])('spreads entries over both buckets with %i places left', async (free) => {
      const { tables, log } = await nearTheEnd(free);
      const first = logBucketEntries + 1 - free;
      const expected = upTo(5).map((one) => first + one - 1);
      expect(await append(log, entries(5))).toEqual(expected);
      const inBucket = async (bucket: number) =>
        (await tables.query('log', { partitionKey: logPartitionKey(bucket), to: ':' })).entities;
      expect(await inBucket(0)).toHaveLength(free);
      expect(await inBucket(1)).toHaveLength(5 - free);
      expect(await append(log, entries(1))).toEqual([first + 5]);
      const head = await tables.get('log', logHeadKey.partitionKey, logHeadKey.rowKey);
      expect(head?.properties).toEqual({ bucket: 1 });
      expect(await append(new ChangeLog(tables), entries(1))).toEqual([first + 6]);
    });

    it('finds the right bucket although the head was turned back by a slow process', async () => {
      const { tables, log } = await nearTheEnd(1);
      await append(log, entries(2));
      await tables.transact('log', logHeadKey.partitionKey, [
        { kind: 'upsert', rowKey: logHeadKey.rowKey, properties: { bucket: 0 } },
      ]);
      expect(await append(new ChangeLog(tables), entries(1))).toEqual([logBucketEntries + 2]);
    });

    it.each<Flavour>(['not done', 'answer lost'])(
      'acknowledges what it appended when the head cannot be moved (%s)',
      async (flavour) => {
        const { tables, log } = await nearTheEnd(1);
        const failing = new Failing(({ operations }) =>
          operations.some(({ rowKey }) => rowKey === logHeadKey.rowKey) ? flavour : undefined,
        );
        tables.around = failing.around;
        expect(await append(log, entries(1))).toEqual([logBucketEntries]);
        await expect(append(log, entries(1))).rejects.toThrow('away');
        tables.around = undefined;
        expect(await append(log, entries(1))).toEqual([logBucketEntries + 1]);
      },
    );
  });

  describe('with a storage that fails', () => {
    it('appends once when the answer to an append is lost', async () => {
      const { tables, log, read } = open();
      await append(log, entries(1));
      const failing = new Failing(({ operation }, position) =>
        operation === 'transact' && position === 0 ? 'answer lost' : undefined,
      );
      tables.around = failing.around;
      expect(await append(log, entries(2))).toEqual([2, 3]);
      expect(await append(log, entries(1))).toEqual([4]);
      expect(failing.failed).toHaveLength(1);
      expect((await read()).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
    });

    it('refuses an append that did not happen, and leaves no gap', async () => {
      const { tables, log, read } = open();
      const failing = new Failing(({ operation }) =>
        operation === 'transact' ? 'not done' : undefined,
      );
      tables.around = failing.around;
      await expect(append(log, entries(2))).rejects.toMatchObject({ code: 'storage-unavailable' });
      tables.around = undefined;
      expect(await append(log, entries(1))).toEqual([1]);
      expect(await read()).toHaveLength(1);
    });

    it('does not take the same delete by another process for its own', async () => {
      const { tables, log } = open();
      const deleted: LogEntry = { ...entry(), action: 'Delete' };
      const other = new ChangeLog(new WatchedTables(tables));
      tables.around = async (call, act) => {
        if (call.operation !== 'transact') return await act();
        tables.around = undefined;
        await other.append(deleted);
        throw new Error('the line is cut');
      };
      await expect(log.append(deleted)).rejects.toThrow('the line is cut');
    });

    it('leaves a fate unwritten and goes on', async () => {
      const { tables, log, read } = open();
      const one = await log.append(entry());
      tables.around = new Failing(() => 'not done').around;
      log.settle([one], 'done');
      await log.close();
      tables.around = undefined;
      log.settle([await log.append(entry())], 'void');
      await log.close();
      expect((await read()).map(({ state }) => state)).toEqual(['pending', 'void']);
    });
  });

  it('writes many fates at once, and all before it closes', async () => {
    const { tables, log, read } = open();
    const appended = await Promise.all(entries(60).map(async (one) => await log.append(one)));
    tables.around = dawdling(7);
    // Enough to be written at once: on its way when the log is closed.
    log.settle(appended, 'done');
    await log.close();
    expect(new Set((await read()).map(({ state }) => state))).toEqual(new Set(['done']));
  });

  it('confirms an entry that is still pending, once', async () => {
    const { tables, log, read } = open();
    const { sequence } = await log.append(entry());
    const failing = new Failing(() => undefined);
    tables.around = failing.around;
    await log.confirm([sequence]);
    await log.confirm([sequence]);
    // How far recovery has come, the entry, and its fate.
    expect(failing.calls).toBe(3);
    expect((await read()).map(({ state }) => state)).toEqual(['done']);
  });

  it('asks about no entry that recovery has settled', async () => {
    const { tables, log } = open();
    const { sequence } = await log.append(entry());
    await tables.transact('log', logHeadKey.partitionKey, [
      { kind: 'upsert', rowKey: logRecoveredKey, properties: { sequence: BigInt(sequence) } },
    ]);
    const failing = new Failing(() => undefined);
    tables.around = failing.around;
    await log.confirm([sequence]);
    await log.confirm([sequence]);
    expect(failing.calls).toBe(1);
  });
});
