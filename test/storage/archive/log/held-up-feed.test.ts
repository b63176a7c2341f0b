/** How long writers that die keep changes from a reader of the feed, by a clock that the calls move on. */
import { expect, it } from '@jest/globals';
import { Clock } from '../../../../bench/simulate/clock.js';
import { Archive } from '../../../../src/storage/archive/archive.js';
import { timeOfSequence } from '../../../../src/storage/archive/log/sequence.js';
import { MemoryBlobStore } from '../../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { seededRandom } from '../../../../src/storage/memory/seeded-random.js';
import type { Runtime } from '../../../../src/storage/runtime.js';
import { timeBudgets } from '../../../../src/time-budgets.js';
import { put } from '../support/fixture.js';
import type { TableCall } from '../support/watched-tables.js';
import { WatchedTables } from '../support/watched-tables.js';

const start = 1_800_000_000_000;
/** Seconds that a call takes, there and back. */
const callSeconds = 0.02;
const deaths = 8;
const seconds = 6;

it('shows changes within 2.5 s on a busy shard, however many writers die before their commits', async () => {
  const clock = new Clock();
  const inner = new MemoryTableStore({ now: () => start + clock.now * 1000 });
  const blobs = new MemoryBlobStore();
  const slow = async <T>(_: TableCall, act: () => Promise<T>): Promise<T> => {
    await clock.sleep(callSeconds / 2);
    const answer = await act();
    await clock.sleep(callSeconds / 2);
    return answer;
  };
  const archiveOf = (seed: number, around: WatchedTables['around']): Archive => {
    const tables = new WatchedTables(inner);
    tables.around = around;
    const sleep = async (milliseconds: number) => {
      await clock.sleep(milliseconds / 1000);
    };
    const runtime: Runtime = { sleep, rest: sleep, random: seededRandom(seed) };
    return new Archive({ tables, blobs, timing: timeBudgets, runtime });
  };

  // Three processes that live, with four clients each: two in studies of their own, two in one that all share.
  let stored = 0;
  for (let process = 1; process <= 3; process++) {
    const archive = archiveOf(process, slow);
    const client = async (study: number, series: number): Promise<void> => {
      for (let instance = 1; ; instance++) {
        await put(archive, { study, series, instance });
        stored++;
      }
    };
    for (const own of [1, 2]) void client(process * 10 + own, 1);
    for (const series of [1, 2]) void client(1, process * 10 + series);
  }
  // Others die right before their commit: no answer reaches them, and they ask nothing any more.
  for (let death = 0; death < deaths; death++) {
    const archive = archiveOf(100 + death, async (call, act) => {
      const isCommit = call.table === 'catalog' && call.operation === 'transact';
      return isCommit ? await new Promise<never>(() => undefined) : await slow(call, act);
    });
    clock.after(1 + death * 0.2, () => {
      void put(archive, {
        study: death % 2 === 0 ? 1 : 100 + death,
        series: 900 + death,
        instance: 1,
      });
    });
  }

  let longest = 0;
  let shown = 0;
  const { feed } = archiveOf(50, slow);
  const follow = async (): Promise<void> => {
    for (let last = 0; ;) {
      const page = await feed.changes(last + 1, 100);
      for (const { sequence } of page) {
        longest = Math.max(longest, start + clock.now * 1000 - timeOfSequence(sequence));
        last = sequence;
      }
      shown += page.length;
      await clock.sleep(0.06);
    }
  };
  void follow();
  await clock.runUntil(seconds);

  expect(stored).toBeGreaterThan(300);
  expect(shown).toBeGreaterThan(250);
  expect(longest).toBeGreaterThanOrEqual(timeBudgets.settleIntent);
  expect(longest).toBeLessThanOrEqual(2500);
});
