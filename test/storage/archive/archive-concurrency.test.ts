import { describe, expect, it } from '@jest/globals';
import type { DeleteScope } from '../../../src/storage/archive/commit/delete-commit.js';
import { openOnAzurite, openOnMemory, put, settle, type Shared } from './support/fixture.js';
import { instanceUid, partition, seriesUid, studyUid, type Sample } from './support/samples.js';
import { expectTidy } from './support/survey.js';
import { dawdling } from './support/watched-tables.js';

/** Stores for two processes that get in each other's way. */
const racing: readonly [string, (seed: number) => Promise<Shared>][] = [
  [
    'in memory',
    async (seed) => {
      const shared = openOnMemory(2, { shortPagesSeed: seed });
      shared.tables.forEach((view, process) => {
        view.around = dawdling(seed * 7 + process);
      });
      return await Promise.resolve(shared);
    },
  ],
  ['on Azurite', async () => await openOnAzurite(2)],
];

const seeds = [1, 2, 3];

function bothOf({ archives: [one, other] }: Shared) {
  if (one === undefined || other === undefined) throw new RangeError('two processes are needed');
  return [one, other] as const;
}

/** Counts commits of the catalog that another process was faster than. */
function countClashes({ tables }: Shared): { catalog: number } {
  const clashes = { catalog: 0 };
  for (const view of tables) {
    const { around } = view;
    view.around = async (call, act) => {
      const answer = around === undefined ? await act() : await around(call, act);
      const lost = (answer as { committed?: boolean } | undefined)?.committed === false;
      if (lost && call.table === 'catalog') clashes.catalog++;
      return answer;
    };
  }
  return clashes;
}

describe.each(racing)('two archives %s', (_, open) => {
  it.each(seeds)('store a new study at once, every instance once (%i)', async (seed) => {
    const shared = await open(seed);
    const clashes = countClashes(shared);
    const samples: Sample[] = Array.from({ length: 12 }, (_, n) => ({
      study: 1,
      series: n % 3,
      instance: n,
      modality: n % 3 === 0 ? 'MR' : 'CT',
    }));
    const archives = bothOf(shared);
    const results = await Promise.all(
      samples.map(
        async (sample) =>
          await Promise.all(archives.map(async (archive) => await put(archive, sample))),
      ),
    );
    for (const pair of results) expect([...pair].sort()).toEqual(['exists', 'stored']);
    await settle(shared);
    const { instances, studies } = await expectTidy(shared);
    expect(instances).toHaveLength(12);
    expect(studies).toMatchObject([{ instances: 12, series: 3, modalities: { CT: 2, MR: 1 } }]);
    expect(clashes.catalog).toBeGreaterThan(0);
  });

  it.each(seeds)('store different instances of one study at once (%i)', async (seed) => {
    const shared = await open(seed);
    const results = await Promise.all(
      bothOf(shared).flatMap((archive, process) =>
        Array.from(
          { length: 8 },
          async (_, n) => await put(archive, { study: 1, series: process, instance: n }),
        ),
      ),
    );
    expect(new Set(results)).toEqual(new Set(['stored']));
    await settle(shared);
    expect((await expectTidy(shared)).instances).toHaveLength(16);
  });

  const scopes: [string, DeleteScope][] = [
    ['instance', { series: seriesUid(1, 1), instance: instanceUid(1, 1, 1) }],
    ['series', { series: seriesUid(1, 1) }],
    ['study', {}],
  ];

  it.each(scopes)('store and delete the same %s at once', async (level, scope) => {
    for (const seed of seeds) {
      const shared = await open(seed);
      const [one, other] = bothOf(shared);
      await put(one, { study: 1, series: 1, instance: 1 });
      const [stored, again, deleted] = await Promise.all([
        put(one, { study: 1, series: 1, instance: 2 }),
        put(one, { study: 1, series: 1, instance: 1 }),
        other.delete(partition, studyUid(1), scope),
      ]);
      expect(stored).toBe('stored');
      expect(deleted).toBeGreaterThanOrEqual(1);
      await settle(shared);
      const { instances } = await expectTidy(shared);
      const total = 1 + 1 + (again === 'stored' ? 1 : 0);
      expect(instances).toHaveLength(total - deleted);
      if (level === 'instance') expect(deleted).toBeLessThanOrEqual(2);
    }
  });

  it('delete the same study at once, each instance once', async () => {
    for (const seed of seeds) {
      const shared = await open(seed);
      const [one, other] = bothOf(shared);
      for (const instance of [1, 2, 3]) await put(one, { study: 1, series: 1, instance });
      const counts = await Promise.all(
        [one, other].map(async (archive) => await archive.delete(partition, studyUid(1), {})),
      );
      expect([...counts].sort()).toEqual([0, 3]);
      await settle(shared);
      expect((await expectTidy(shared)).instances).toEqual([]);
    }
  });
});

describe('Archive.delete', () => {
  it('deletes a study that takes more than one transaction', async () => {
    const shared = openOnMemory(1, { shortPagesSeed: 11 });
    const [archive] = shared.archives;
    await Promise.all(
      Array.from({ length: 250 }, async (_, instance) => {
        if (archive !== undefined)
          await put(archive, { study: 1, series: instance % 60, instance });
      }),
    );
    expect(await archive?.delete(partition, studyUid(1), { series: seriesUid(1, 0) })).toBe(5);
    expect(await archive?.delete(partition, studyUid(1), {})).toBe(245);
    await settle(shared);
    expect((await expectTidy(shared)).log).toHaveLength(500);
  });
});
