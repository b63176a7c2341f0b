/** A store that is written to while it is checked and mended: nothing sound is called amiss or lost. */
import { describe, expect, it } from '@jest/globals';
import { checkStore } from '../../src/storage/archive/store-check.js';
import type { Finding } from '../../src/storage/archive/store-check/finding.js';
import { mend } from '../../src/storage/archive/store-check/mend.js';
import { seriesRowKey, studyPartitionKey, studyRowKey } from '../../src/storage/archive/keys.js';
import { openOnMemory, put, settle, upload, type Shared } from './archive/support/fixture.js';
import { instanceUid, partition, seriesUid, studyUid } from './archive/support/samples.js';
import { expectTidy } from './archive/support/survey.js';
import { dawdling, seeded } from './archive/support/watched-tables.js';

type Check = Parameters<typeof checkStore>;

async function findingsOf(...check: Check): Promise<readonly Finding[]> {
  const all: Finding[] = [];
  for await (const finding of checkStore(...check)) all.push(finding);
  return all;
}

function storesOf({ tables, blobs }: Shared): Check[0] {
  const view = tables.at(-1);
  if (view === undefined) throw new RangeError('no store');
  return { tables: view, blobs };
}

/** Stores, replaces and deletes at random; competing writers may be told to try again. */
async function write(shared: Shared, process: number, seed: number, deeds: number): Promise<void> {
  const archive = shared.archives[process];
  if (archive === undefined) throw new RangeError('no such process');
  const random = seeded(seed);
  const below = (limit: number) => 1 + Math.floor(random() * limit);
  for (let deed = 0; deed < deeds; deed++) {
    const sample = { study: below(2), series: below(2), instance: below(4) };
    const { study, series, instance } = sample;
    const choice = random();
    if (choice < 0.65) {
      const file = await upload(archive, { ...sample, modality: choice < 0.3 ? 'CT' : 'MR' });
      await archive.store(partition, file, choice < 0.2 ? 'replace' : 'create');
    } else {
      await archive.delete(partition, studyUid(study), {
        ...(choice < 0.95 && { series: seriesUid(study, series) }),
        ...(choice < 0.85 && { instance: instanceUid(study, series, instance) }),
      });
    }
  }
}

describe('checkStore beside writers', () => {
  it.each([1, 2, 3, 4, 5, 6])('finds nothing amiss in what they do (seed %d)', async (seed) => {
    const shared = openOnMemory(3, { shortPagesSeed: seed });
    for (const view of shared.tables) view.around = dawdling(seed);
    const state = { isWriting: true };
    const writers = Promise.all([write(shared, 0, seed, 25), write(shared, 1, seed + 100, 25)]);
    const stopped = writers.finally(() => {
      state.isWriting = false;
    });
    let checks = 0;
    while (state.isWriting) {
      expect(await findingsOf(storesOf(shared))).toEqual([]);
      checks += 1;
    }
    await stopped;
    await settle(shared);
    expect(checks).toBeGreaterThan(1);
    expect(await findingsOf(storesOf(shared), { orphanAge: 0 })).toEqual([]);
  });
});

describe('mend beside writers', () => {
  it.each([1, 2, 3, 4])('loses nothing of what they do (seed %d)', async (seed) => {
    const shared = openOnMemory(3, { shortPagesSeed: seed });
    const stores = storesOf(shared);
    const [archive] = shared.archives;
    if (archive === undefined) throw new RangeError('no store');
    for (const instance of [31, 32]) await put(archive, { study: 1, series: 1, instance });
    await put(archive, { study: 1, series: 2, instance: 31 });
    await settle(shared);
    // Wrong counts all the time, while others write.
    const key = studyPartitionKey(partition, studyUid(1));
    const spoil = async (rowKey: string) => {
      const row = await stores.tables.get('catalog', key, rowKey);
      if (row === undefined) return;
      const state = JSON.parse(String(row.properties['state'])) as Record<string, unknown>;
      const properties = { ...row.properties, state: JSON.stringify({ ...state, sopClasses: {} }) };
      await stores.tables.transact('catalog', key, [
        { kind: 'replace', rowKey, properties, etag: row.etag },
      ]);
    };
    for (const view of shared.tables) view.around = dawdling(seed);
    const stored: number[] = [];
    const storing = (async () => {
      for (let instance = 1; instance <= 12; instance++) {
        await put(archive, { study: 1, series: 1, instance });
        stored.push(instance);
      }
    })();
    const mending = (async () => {
      for (const rowKey of [studyRowKey, seriesRowKey(seriesUid(1, 1)), studyRowKey]) {
        await spoil(rowKey);
        for await (const finding of checkStore(stores)) await mend(stores, finding);
      }
    })();
    await Promise.all([storing, mending]);
    for (const finding of await findingsOf(stores)) await mend(stores, finding);
    await settle(shared);
    const found = await expectTidy(shared);
    expect(found.instances).toHaveLength(3 + stored.length);
  });
});
