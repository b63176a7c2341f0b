import { describe, expect, it } from '@jest/globals';
import { ChangeLog, type Appended } from '../../../../src/storage/archive/log/change-log.js';
import type { Intent } from '../../../../src/storage/archive/log/intent.js';
import { logPartitionKey, logRowKey, logTailRowKey } from '../../../../src/storage/archive/keys.js';
import {
  encodeTail,
  growLog,
  passTails,
  readTail,
  readTails,
} from '../../../../src/storage/archive/log/log-tail.js';
import {
  firstSequenceOf,
  sequenceStride,
  shardOfSequence,
  timeOfSequence,
} from '../../../../src/storage/archive/log/sequence.js';
import { newUlid } from '../../../../src/storage/archive/ulid.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { systemRuntime } from '../../../../src/storage/runtime.js';
import { partition, uidsOf } from '../support/samples.js';
import { survey } from '../support/survey.js';
import {
  dawdling,
  Failing,
  unavailable,
  WatchedTables,
  type Flavour,
} from '../support/watched-tables.js';

function intent(instances = 1): Intent {
  const { study, series, instance: sop } = uidsOf({ study: 1, series: 1, instance: 1 });
  const changes = Array.from({ length: instances }, () => {
    return { series, instance: sop, action: 'Create', version: newUlid() } as const;
  });
  const write = newUlid();
  const totals = { studies: 0, series: 0, instances, bytes: 4 * instances };
  return { partition, study, id: newUlid(), write, base: 0, changes, rows: [], totals };
}

const intents = (many: number) => Array.from({ length: many }, () => intent());

/** Appends what must be appended. */
async function append(
  log: ChangeLog,
  one: Intent,
  before?: Appended,
  after = 0,
): Promise<Appended> {
  const appended = await log.append(one, after, before);
  if (appended === undefined || appended === 'outdated') throw new Error('not appended');
  return appended;
}

async function appendAll(log: ChangeLog, some: readonly Intent[]): Promise<readonly number[]> {
  const appended = await Promise.all(some.map(async (one) => await append(log, one)));
  return appended.map(({ sequence }) => sequence);
}

const runtime = { ...systemRuntime, sleep: async () => await Promise.resolve() };
/** Closes only when it is told to. */
const restless = { ...runtime, rest: async () => await new Promise<never>(() => undefined) };

function open() {
  let now = 1_800_000_000_000;
  const tables = new WatchedTables(new MemoryTableStore({ now: () => now }));
  return {
    tables,
    log: new ChangeLog(tables, restless),
    read: async () => (await survey({ tables: [tables] })).log,
    setNow: (time: number) => (now = time),
  };
}

function ascends(sequences: readonly number[]): boolean {
  return sequences.every((sequence, n) => n === 0 || sequence > (sequences[n - 1] ?? Infinity));
}

describe('ChangeLog', () => {
  it('gives every change a sequence of its own, by the clock of storage', async () => {
    const { log, read } = open();
    const first = await append(log, intent(3));
    const second = await append(log, intent());
    const rows = await read();
    expect(rows).toHaveLength(4);
    expect(ascends(rows.map(({ sequence }) => sequence))).toBe(true);
    expect(rows[2]?.sequence).toBe(first.sequence);
    expect(rows[3]?.sequence).toBe(second.sequence);
    expect(timeOfSequence(first.sequence)).toBe(1_800_000_000_000);
  });

  it('goes on behind the last change of the study, and when the clock is set back', async () => {
    const { log, setNow } = open();
    const after = firstSequenceOf(1_800_000_500_000) + 17;
    const first = await append(log, intent(), undefined, after);
    setNow(1_700_000_000_000);
    const second = await append(log, intent());
    expect(first.sequence).toBeGreaterThan(after);
    expect(second.sequence).toBe(first.sequence + sequenceStride);
  });

  it('puts what is appended at once into as few transactions as hold it', async () => {
    const { tables, log } = open();
    await append(log, intent());
    const failing = new Failing(() => undefined);
    tables.around = failing.around;
    expect(await appendAll(log, intents(150))).toHaveLength(150);
    expect(failing.calls).toBe(2);
  });

  it.each([1, 2, 3, 4, 5])(
    'loses nothing when processes append to one shard at once (seed %i)',
    async (seed) => {
      const inner = new MemoryTableStore();
      const [one, other] = [new WatchedTables(inner), new WatchedTables(inner)];
      one.around = dawdling(seed);
      other.around = dawdling(seed + 100);
      const logs = [new ChangeLog(one, runtime), new ChangeLog(other, runtime)];
      const appended = await Promise.all(
        logs.map(async (log) => {
          const sequences: number[] = [];
          for (let turn = 0; turn < 10; turn++)
            sequences.push(...(await appendAll(log, intents(3))));
          return sequences;
        }),
      );
      expect(appended.every(ascends)).toBe(true);
      const { log, open: left } = await survey({ tables: [one] });
      expect(log.map(({ sequence }) => sequence)).toEqual(appended.flat().sort((a, b) => a - b));
      expect([...left].sort()).toEqual(appended.flat().sort());
    },
  );

  it('notes with the next append what is done with, and forgets what was taken back', async () => {
    const { tables, log, read } = open();
    const [first, second] = [await append(log, intent()), await append(log, intent())];
    log.finished(first);
    log.dropped(second);
    expect(log.isClosed(first.sequence)).toBe(false);
    const failing = new Failing(() => undefined);
    tables.around = failing.around;
    const third = await append(log, intent());
    expect(failing.calls).toBe(1);
    expect(log.isClosed(first.sequence)).toBe(true);
    expect(log.isClosed(third.sequence)).toBe(false);
    expect((await read()).map(({ sequence, state }) => [sequence, state])).toEqual([
      [first.sequence, 'happened'],
      [third.sequence, 'open'],
    ]);
  });

  it('notes before it closes what is done with', async () => {
    const { log, read } = open();
    log.finished(await append(log, intent()));
    await log.close();
    expect((await read()).map(({ state }) => state)).toEqual(['happened']);
  });

  it('notes it by itself a while later', async () => {
    const { tables, read } = open();
    const log = new ChangeLog(tables, runtime);
    let closed: () => void = () => undefined;
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const { sequence } = await append(new ChangeLog(tables, runtime), intent());
    tables.around = async (call, act) => {
      const result = await act();
      if (call.operation === 'transact') closed();
      return result;
    };
    log.finished({ intent: intent(), sequence });
    await isClosed;
    expect((await read()).map(({ state }) => state)).toEqual(['happened']);
  });

  describe('with a lost attempt', () => {
    it('takes it over together with the append', async () => {
      const { log, read } = open();
      const lost = await append(log, intent());
      const next = await append(log, intent(), lost);
      expect((await read()).map(({ sequence }) => sequence)).toEqual([next.sequence]);
    });

    it('says when somebody has begun to clear it away', async () => {
      const { tables, log, read } = open();
      const lost = await append(log, intent());
      const partitionKey = logPartitionKey(shardOfSequence(lost.sequence));
      await tables.transact('log', partitionKey, [
        { kind: 'delete', rowKey: logRowKey(lost.sequence) },
      ]);
      const [taken, other] = await Promise.all([
        log.append(intent(), 0, lost),
        append(log, intent()),
      ]);
      expect(taken).toBeUndefined();
      expect((await read()).map(({ sequence }) => sequence)).toEqual([other.sequence]);
    });

    it('passes over what it drops and is gone already', async () => {
      const { tables, log, read } = open();
      const lost = await append(log, intent());
      await tables.transact('log', logPartitionKey(0), [
        { kind: 'delete', rowKey: logRowKey(lost.sequence) },
      ]);
      log.dropped(lost);
      const next = await append(log, intent());
      expect((await read()).map(({ sequence }) => sequence)).toEqual([next.sequence]);
    });
  });

  describe('with a storage that fails', () => {
    it.each<Flavour>(['answer lost', 'not done'])(
      'sends an append again with the same identity (%s)',
      async (flavour) => {
        const { tables, log, read } = open();
        await append(log, intent());
        let failures = 0;
        const failing = new Failing(({ operation }) =>
          operation === 'transact' && failures++ < 2 ? flavour : undefined,
        );
        tables.around = failing.around;
        const sequences = await appendAll(log, intents(2));
        expect(failing.failed.length).toBeGreaterThan(0);
        tables.around = undefined;
        const last = await append(log, intent());
        const rows = await read();
        expect(rows.slice(1).map(({ sequence }) => sequence)).toEqual([
          ...sequences,
          last.sequence,
        ]);
      },
    );

    it('does not take the append of another process for its own', async () => {
      const { tables, log, read } = open();
      await append(log, intent());
      const other = new ChangeLog(new WatchedTables(tables), restless);
      let isFirst = true;
      tables.around = async (call, act) => {
        if (call.operation !== 'transact' || !isFirst) return await act();
        isFirst = false;
        await append(other, intent());
        // Too late: the shard has moved. The answer is lost besides.
        await act();
        throw unavailable();
      };
      const mine = await append(log, intent());
      const rows = await read();
      expect(rows).toHaveLength(3);
      expect(rows[2]?.sequence).toBe(mine.sequence);
    });

    it('gives up in the end', async () => {
      const { tables, log } = open();
      tables.around = new Failing(({ operation }) =>
        operation === 'transact' ? 'not done' : undefined,
      ).around;
      await expect(log.append(intent(), 0)).rejects.toMatchObject({ code: 'storage-unavailable' });
    });
  });
});

describe('a log of several shards', () => {
  it('grows without moving a row, and begins behind what was passed', async () => {
    const { tables, log } = open();
    const first = await append(log, intent());
    await passTails(tables, await readTails(tables), first.sequence + 1_000_000);
    await growLog(tables, 4);
    const tails = await readTails(tables);
    expect(tails.map(({ shard, shards }) => [shard, shards])).toEqual([
      [0, 4],
      [1, 4],
      [2, 4],
      [3, 4],
    ]);
    for (const { last } of tails) expect(last).toBe(first.sequence + 1_000_000);
    await growLog(tables, 2);
    expect(await readTails(tables)).toEqual(tails);
  });

  it('is finished by whoever grows it after one who died', async () => {
    const { tables } = open();
    await tables.transact('log', logPartitionKey(0), [
      {
        kind: 'insert',
        rowKey: logTailRowKey,
        properties: encodeTail({
          ...{ shard: 0, last: 500, newest: 0, open: [], shards: 3, tags: 0 },
          totals: new Map(),
        }),
      },
    ]);
    // Announced, but not there: nobody chooses it, and readers pass it.
    await append(new ChangeLog(tables, restless), intent());
    expect(await passTails(tables, (await readTails(tables)).slice(0, 2), 600)).toBe(600);
    await growLog(tables, 3);
    const tails = await readTails(tables);
    expect(tails.every(({ etag }) => etag !== undefined)).toBe(true);
    expect((await readTail(tables, 2)).last).toBeGreaterThanOrEqual(500);
  });

  it('spreads its writers', async () => {
    const { tables } = open();
    await growLog(tables, 16);
    const shards = new Set<number>();
    for (let n = 0; n < 40; n++) {
      const { sequence } = await append(new ChangeLog(tables, restless), intent());
      shards.add(shardOfSequence(sequence));
    }
    expect(shards.size).toBeGreaterThan(8);
  });
});

describe('passTails', () => {
  it('lets nobody append before what was passed, and says how far it came', async () => {
    const { tables, log } = open();
    await growLog(tables, 2);
    const tails = await readTails(tables);
    const appended = await append(log, intent());
    const far = appended.sequence + 10_000;
    // One of the tails has moved since it was read.
    expect(await passTails(tables, tails, far)).toBe(0);
    expect(await passTails(tables, await readTails(tables), far)).toBe(far);
    expect((await append(log, intent())).sequence).toBeGreaterThan(far);
    expect((await append(new ChangeLog(tables, restless), intent())).sequence).toBeGreaterThan(far);
  });
});
