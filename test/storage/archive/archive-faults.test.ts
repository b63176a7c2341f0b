/**
 * Every single call of a store and of a delete fails once, either before it does anything or with
 * its answer lost. Afterwards readers see all of the change or nothing of it; what nobody sees may
 * be left for recovery.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { DeleteScope } from '../../../src/storage/archive/commit/delete-commit.js';
import { openOnMemory, put, putAll, settle, type Shared } from './support/fixture.js';
import {
  instanceUid,
  partition,
  seriesUid,
  studyUid,
  uidsOf,
  type Sample,
} from './support/samples.js';
import { expectCountsToMatch, expectTidy, impliedIndexRows, survey } from './support/survey.js';
import { Failing, type Flavour } from './support/watched-tables.js';

const flavours: readonly Flavour[] = ['not done', 'answer lost'];
const first: Sample = { study: 1, series: 1, instance: 1 };
const second: Sample = { study: 1, series: 1, instance: 2, patient: 'P2', modality: 'MR' };

/** What readers see, whatever else is left: the catalog fits together and finds everything in it. */
async function expectReadersToBeRight(shared: Shared): Promise<void> {
  const found = await survey(shared);
  expectCountsToMatch(found);
  expect(found.indexRows).toEqual(expect.arrayContaining([...impliedIndexRows(found)]));
  for (const { study, created } of found.studies) {
    const listed = found.browsed.filter(({ record }) => record.created === created);
    expect(listed.map(({ record }) => record.study)).toEqual([study]);
  }
  for (const { record, unsure } of found.browsed) {
    const there = found.studies.some(({ created }) => created === record.created);
    expect(there || unsure).toBe(true);
  }
  for (const record of found.instances) {
    const file = await shared.archives[0]?.files.open(partition, record);
    expect(file?.length).toBe(4);
    file?.cancel();
  }
}

/** How many calls the deed makes when none fails. */
async function callsOf(before: readonly Sample[], act: (shared: Shared) => Promise<unknown>) {
  const shared = openOnMemory(1);
  await prepare(shared, before);
  const failing = new Failing(() => undefined);
  watch(shared, failing);
  await act(shared);
  return failing.calls;
}

async function prepare(shared: Shared, before: readonly Sample[]): Promise<void> {
  const [archive] = shared.archives;
  if (archive !== undefined && before.length > 0) await putAll(archive, before);
  await settle(shared);
}

function watch({ tables }: Shared, failing: Failing | undefined): void {
  for (const view of tables) view.around = failing?.around;
}

/** Fails one call of the deed after the other; answers what was done and what was answered. */
async function failEach(
  before: readonly Sample[],
  act: (shared: Shared) => Promise<unknown>,
  flavour: Flavour,
  inspect: (shared: Shared, answered: boolean) => Promise<void>,
): Promise<void> {
  const calls = await callsOf(before, act);
  expect(calls).toBeGreaterThan(2);
  for (let k = 0; k < calls; k++) {
    const shared = openOnMemory(1);
    await prepare(shared, before);
    const failing = new Failing((_, position) => (position === k ? flavour : undefined));
    watch(shared, failing);
    const answered = await act(shared).then(
      () => true,
      () => false,
    );
    watch(shared, undefined);
    await settle(shared);
    expect(failing.failed).toHaveLength(1);
    await inspect(shared, answered);
  }
}

const archiveOf = ({ archives: [archive] }: Shared) => {
  if (archive === undefined) throw new RangeError('no archive');
  return archive;
};
const isThere = async (shared: Shared, sample: Sample) =>
  (await archiveOf(shared).catalog.instance(partition, uidsOf(sample))) !== undefined;

describe.each(flavours)('Archive.store with a call that fails (%s)', (flavour) => {
  it.each<[string, readonly Sample[], Sample]>([
    ['of a new study', [], first],
    ['of a known series that changes its values', [first], second],
    ['of an instance that is there', [first], first],
  ])('%s: all or nothing, and a second try succeeds', async (_, before, sample) => {
    const isNew = !before.includes(sample);
    await failEach(
      before,
      async (shared) => await put(archiveOf(shared), sample),
      flavour,
      async (shared, answered) => {
        await expectReadersToBeRight(shared);
        const there = await isThere(shared, sample);
        if (answered) expect(there).toBe(true);
        expect(await put(archiveOf(shared), sample)).toBe(there ? 'exists' : 'stored');
        expect(await isThere(shared, sample)).toBe(true);
        if (isNew) expect(await put(archiveOf(shared), { ...sample, instance: 9 })).toBe('stored');
        await settle(shared);
        await expectReadersToBeRight(shared);
        const { studies, browsed } = await survey(shared);
        const copy = browsed.find(({ record }) => record.created === studies[0]?.created);
        if (isNew) expect(copy?.record).toEqual(studies[0]);
      },
    );
  });
});

describe.each(flavours)('Archive.delete with a call that fails (%s)', (flavour) => {
  const scopes: [string, DeleteScope][] = [
    ['an instance', { series: seriesUid(1, 1), instance: instanceUid(1, 1, 2) }],
    ['a series', { series: seriesUid(1, 1) }],
    ['a study', {}],
  ];
  const other: Sample = { study: 1, series: 2, instance: 1 };

  it.each(scopes)('of %s: all or nothing, and a second try succeeds', async (_, scope) => {
    const remove = async (shared: Shared) =>
      await archiveOf(shared).delete(partition, studyUid(1), scope);
    await failEach([first, second, other], remove, flavour, async (shared, answered) => {
      await expectReadersToBeRight(shared);
      if (answered) expect(await isThere(shared, second)).toBe(false);
      await remove(shared);
      expect(await isThere(shared, second)).toBe(false);
      expect(await isThere(shared, other)).toBe(scope.series !== undefined);
      await settle(shared);
      await expectReadersToBeRight(shared);
    });
  });
});

describe('Archive.store', () => {
  it('leaves nothing behind when the call that fails comes before the commit', async () => {
    const shared = openOnMemory(1);
    const failing = new Failing(({ table, operation }) =>
      table === 'log' && operation === 'transact' ? 'not done' : undefined,
    );
    watch(shared, failing);
    await expect(put(archiveOf(shared), first)).rejects.toMatchObject({
      code: 'storage-unavailable',
    });
    watch(shared, undefined);
    expect((await expectTidy(shared)).instances).toEqual([]);
  });

  it('leaves no file when one cannot be stored whole', async () => {
    let puts = 0;
    const shared = openOnMemory(1, {}, async ({ operation, target }) => {
      if (operation === 'put' && target === 'derived' && puts++ === 0) {
        throw new Error('no room');
      }
      await Promise.resolve();
    });
    const archive = archiveOf(shared);
    // Too much for a row, however it is compressed.
    const random = randomBytes(800_000).toString('base64');
    const more = { '00104000': { vr: 'LT', Value: [random] } } as const;
    await expect(put(archive, { ...first, more })).rejects.toThrow('no room');
    await settle(shared);
    expect((await expectTidy(shared)).instances).toEqual([]);
  });
});
