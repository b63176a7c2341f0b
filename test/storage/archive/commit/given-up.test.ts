/** Changes that nobody waits for any more: what is being committed is told as it is, the rest never happens. */
import { describe, expect, it } from '@jest/globals';
import type { Archive } from '../../../../src/storage/archive/archive.js';
import { openOnMemory, put, settle, upload, type Shared } from '../support/fixture.js';
import { partition, studyUid, type Sample } from '../support/samples.js';
import { expectTidy } from '../support/survey.js';

const sample: Sample = { study: 1, series: 1, instance: 1 };
const other: Sample = { study: 1, series: 1, instance: 2 };
const reason = new Error('nobody waits');

/** Two processes; before its first commit the first one stands still until `meanwhile` is over. */
function beforeCommit(meanwhile: (competitor: Archive) => Promise<void>): {
  readonly shared: Shared;
  readonly archive: Archive;
  /** Commits that were sent. */
  readonly commits: () => number;
} {
  const shared = openOnMemory(2);
  const [archive, competitor] = shared.archives;
  const [view] = shared.tables;
  if (archive === undefined || competitor === undefined || view === undefined) {
    throw new RangeError();
  }
  let commits = 0;
  view.around = async (call, act) => {
    if (call.table === 'catalog' && call.operation === 'transact' && commits++ === 0) {
      await meanwhile(competitor);
    }
    return await act();
  };
  return { shared, archive, commits: () => commits };
}

describe('a store that is given up', () => {
  it('is answered as stored when its commit was on its way', async () => {
    const controller = new AbortController();
    const { shared, archive } = beforeCommit(async () => {
      controller.abort(reason);
      await Promise.resolve();
    });
    const file = { ...(await upload(archive, sample)), givenUp: controller.signal };
    expect(await archive.store(partition, file)).toBe('stored');
    await settle(shared);
    expect((await expectTidy(shared)).instances).toHaveLength(1);
  });

  it('is not tried again when others were faster, and leaves nothing', async () => {
    const controller = new AbortController();
    const { shared, archive, commits } = beforeCommit(async (competitor) => {
      await put(competitor, other);
      controller.abort(reason);
    });
    const file = { ...(await upload(archive, sample)), givenUp: controller.signal };
    await expect(archive.store(partition, file)).rejects.toBe(reason);
    expect(commits()).toBe(1);
    await settle(shared);
    const { instances, log } = await expectTidy(shared);
    expect(instances.map(({ instance }) => instance)).toEqual(['1.2.1.1.2']);
    expect(log).toHaveLength(1);
  });

  it('does not take along those who wait for the same commit', async () => {
    const controller = new AbortController();
    const { shared, archive } = beforeCommit(async (competitor) => {
      await put(competitor, { ...other, instance: 3 });
      controller.abort(reason);
    });
    const files = [await upload(archive, sample), await upload(archive, other)];
    const [first, second] = await Promise.allSettled(
      files.map(
        async (file, position) =>
          await archive.store(partition, {
            ...file,
            ...(position === 0 && { givenUp: controller.signal }),
          }),
      ),
    );
    expect(first).toMatchObject({ status: 'rejected', reason });
    expect(second).toEqual({ status: 'fulfilled', value: 'stored' });
    await settle(shared);
    expect((await expectTidy(shared)).instances).toHaveLength(2);
  });
});

describe('a delete that is given up', () => {
  it('is not tried again when others were faster, and leaves no entry', async () => {
    const controller = new AbortController();
    const { shared, archive } = beforeCommit(async (competitor) => {
      await put(competitor, other);
      controller.abort(reason);
    });
    const [, competitor] = shared.archives;
    if (competitor === undefined) throw new RangeError();
    await put(competitor, sample);
    const watch = { givenUp: controller.signal };
    await expect(archive.delete(partition, studyUid(1), {}, watch)).rejects.toBe(reason);
    await settle(shared);
    expect((await expectTidy(shared)).instances).toHaveLength(2);
    const changes = await competitor.feed.changes(1, 10);
    expect(changes.map(({ action }) => action)).toEqual(['Create', 'Create']);
  });
});
