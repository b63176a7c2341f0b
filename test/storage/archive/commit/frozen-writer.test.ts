/** A writer that stands still right before its commit, while others settle what it was about to do. */
import { describe, expect, it } from '@jest/globals';
import type { Archive } from '../../../../src/storage/archive/archive.js';
import { readTails } from '../../../../src/storage/archive/log/log-tail.js';
import { openOnMemory, put, settle, type Shared } from '../support/fixture.js';
import { partition, studyUid, type Sample } from '../support/samples.js';
import { expectTidy, survey } from '../support/survey.js';

const sample: Sample = { study: 1, series: 1, instance: 1 };

/** Two processes, of which the first stands still before its first commit until `meanwhile` is over. */
function frozen(meanwhile: (shared: Shared, other: Archive) => Promise<void>) {
  const shared = openOnMemory(2);
  const [one, other] = shared.archives;
  const [view] = shared.tables;
  if (one === undefined || other === undefined || view === undefined) throw new RangeError();
  let isFirst = true;
  view.around = async (call, act) => {
    if (isFirst && call.table === 'catalog' && call.operation === 'transact') {
      isFirst = false;
      await meanwhile(shared, other);
    }
    return await act();
  };
  return { shared, one };
}

async function settleOpen({ tables: [tables] }: Shared, other: Archive): Promise<void> {
  if (tables === undefined) throw new RangeError();
  const open = (await readTails(tables)).flatMap((tail) => tail.open);
  expect(open).toHaveLength(1);
  for (const sequence of open) await other.settle(sequence);
}

describe('a writer that stood still before its commit', () => {
  it('begins again when others have called its intent void, and is answered what is so', async () => {
    const { shared, one } = frozen(settleOpen);
    expect(await put(one, sample)).toBe('stored');
    await settle(shared);
    const { instances, log } = await expectTidy(shared);
    expect(instances).toHaveLength(1);
    expect(log.map(({ state }) => state)).toEqual(['happened']);
  });

  it('is answered 503 when others have cleared away what it had put down, and nothing is seen of it', async () => {
    const { shared, one } = frozen(async (all, other) => {
      await settleOpen(all, other);
      // Nothing is kept for writers that may go on (`testTiming`).
      expect((await other.recover()).cleared).toBe(1);
    });
    await expect(put(one, sample)).rejects.toMatchObject({ code: 'storage-unavailable' });
    await settle(shared);
    expect(await survey(shared)).toMatchObject({ studies: [], instances: [], log: [], open: [] });
    expect(await one.feed.changes(1, 10)).toEqual([]);
    expect(await put(one, sample)).toBe('stored');
    await settle(shared);
    expect((await expectTidy(shared)).instances).toHaveLength(1);
  });

  it('keeps what it has taken over while others were about to clear it away', async () => {
    let clearing: Promise<unknown> = Promise.resolve();
    let goOn: () => void = () => undefined;
    const { shared, one } = frozen(async (all, other) => {
      await settleOpen(all, other);
      const [, view] = all.tables;
      if (view === undefined) throw new RangeError();
      // The others stand still right before the row of the intent goes, and with it whose leavings these are.
      await new Promise<void>((reached) => {
        view.around = async (call, act) => {
          const [first] = call.operations;
          if (call.table === 'log' && first?.kind === 'delete') {
            reached();
            await new Promise<void>((resolve) => (goOn = resolve));
          }
          return await act();
        };
        clearing = other.recover();
      });
    });
    expect(await put(one, sample)).toBe('stored');
    goOn();
    await clearing;
    await settle(shared);
    const { instances } = await expectTidy(shared);
    expect(instances).toHaveLength(1);
  });

  it('shows a delete once when another process has deleted meanwhile, though it died on the way', async () => {
    const { shared, one } = frozen(async (_, other) => {
      expect(await other.delete(partition, studyUid(1), {})).toBe(2);
      // The process dies: nothing follows.
      await new Promise<never>(() => undefined);
    });
    const [, other] = shared.archives;
    if (other === undefined) throw new RangeError();
    for (const instance of [1, 2]) await put(other, { ...sample, instance });
    await other.close();
    void one.delete(partition, studyUid(1), {});
    await waitForDelete(other);
    await settleLater(shared, other);
    const changes = await other.feed.changes(1, 10);
    expect(changes.map(({ action }) => action)).toEqual(['Create', 'Create', 'Delete', 'Delete']);
    expect(new Set(changes.map(({ instance }) => instance)).size).toBe(2);
    expect((await survey(shared)).studies).toEqual([]);
  });
});

/** Resolves when the study is gone. */
async function waitForDelete(archive: Archive): Promise<void> {
  while ((await archive.catalog.study(partition, studyUid(1))) !== undefined) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Settles what the dead have left open. */
async function settleLater({ tables: [tables] }: Shared, other: Archive): Promise<void> {
  if (tables === undefined) throw new RangeError();
  await other.close();
  const open = (await readTails(tables)).flatMap((tail) => tail.open);
  for (const sequence of open) await other.settle(sequence);
}
