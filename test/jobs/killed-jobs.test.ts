/**
 * Long work whose processes are killed at every call of storage: no instance is skipped, and none is done twice in
 * effect. Exports are killed in `test/dicomweb/export`, the engine by itself in `jobs.test.ts`.
 */
import { describe, expect, it } from '@jest/globals';
import { expireStudies } from '../../src/dicomweb/delete/expire-studies.js';
import { importFile } from '../../src/dicomweb/import/import-file.js';
import type { Services } from '../../src/dicomweb/services.js';
import { parseUid, type StudyInstanceUID } from '../../src/dicom/uid.js';
import type { JobId } from '../../src/jobs/job.js';
import { defaultPartition } from '../../src/storage/archive/keys.js';
import type { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import type { Json } from '../support/conformance.js';
import { DyingStorage } from '../support/storage/dying-storage.js';
import { inProcess } from '../support/in-process.js';
import * as tagged from '../dicomweb/query-tags/tagged-world.js';

const { world, file, store, tags } = tagged;

/** Kills that each job has to survive. */
const leastKills = 20;

/**
 * Kills processes at their calls, at each a little later than the one before, until one comes to its end.
 *
 * @param work - of one process; answers whether all is done.
 * @returns how many were killed.
 */
async function killAll(
  { tables, process }: Pick<ReturnType<typeof world>, 'tables' | 'process'>,
  step: number,
  work: (services: Services) => Promise<boolean>,
): Promise<number> {
  let kills = 0;
  for (let dieAt = 1; ; dieAt += step) {
    const isOver = await work(process(new DyingStorage(dieAt).over(tables))).catch(() => false);
    if (isOver) return kills;
    kills += 1;
  }
}

/** Takes a job from the dead. */
async function free(tables: MemoryTableStore, id: JobId): Promise<void> {
  const { properties } = tagged.there(await tables.get('operations', 'jobs', id));
  await tables.transact('operations', 'jobs', [
    { kind: 'upsert', rowKey: id, properties: { ...properties, leasedUntil: 0 } },
  ]);
}

async function killJob(made: ReturnType<typeof world>, step: number, id: JobId): Promise<number> {
  return await killAll(made, step, async (services) => {
    await free(made.tables, id);
    return (await services.jobs.run(id, Infinity)) === 'over';
  });
}

function files(count: number): readonly tagged.Numbered[] {
  return Array.from({ length: count }, (_, number) => file(number));
}

/** What searches by the tags find, each as often as it is found. */
async function searched(services: Services): Promise<readonly string[]> {
  const send = inProcess(services);
  const levels = { study: 'studies', series: 'series', instance: 'instances' } as const;
  const uidTags = { study: '0020000D', series: '0020000E', instance: '00080018' } as const;
  const values = [
    ['Name0^Of', 'Name1^Of', 'Name2^Of'],
    ['P0', 'P1', 'P2', 'P3'],
    ['0', '1', '2', '3', '4'],
  ];
  const found: string[] = [];
  for (const [at, { tag, level }] of tags.entries()) {
    for (const value of values[at] ?? []) {
      const response = await send('GET', `/${levels[level]}?${tag}=${value}&limit=200`);
      const results = (await response.json()) as readonly Json[];
      for (const one of results) {
        const [uid] = (one[uidTags[level]]?.Value ?? []) as readonly string[];
        found.push(`${tag} ${value} ${uid ?? ''}`);
      }
    }
  }
  return found.sort();
}

function toBeFound(all: readonly tagged.Numbered[]): readonly string[] {
  const [name, position, acquisition] = tags.map(({ tag }) => tag);
  return all
    .flatMap(({ study, series, instance, number }) => [
      `${name} Name${number % 3}^Of ${study}`,
      `${position} P${number % 4} ${series}`,
      `${acquisition} ${number % 5} ${instance}`,
    ])
    .sort();
}

async function changesOf(services: Services): Promise<readonly string[]> {
  const changes = await services.archive.feed.changes(1, 200);
  return changes.map(({ action, instance }) => `${action} ${instance}`).sort();
}

describe('killed at every call of storage', () => {
  it('adding query tags misses no instance, and none is found twice', async () => {
    const made = world();
    const first = made.process();
    const all = files(12);
    for (const one of all) await store(first, one);
    await first.archive.close();
    const id = await tagged.add(first);
    expect(await killJob(made, 3, id)).toBeGreaterThanOrEqual(leastKills);
    const after = made.process();
    expect([...new Set(await tagged.indexed(after))]).toEqual(tagged.expectedOf(all));
    expect(await searched(after)).toEqual(toBeFound(all));
    const { tags: listed } = await after.archive.queryTags.read();
    expect(listed.map(({ status }) => status)).toEqual(['ready', 'ready', 'ready']);
  }, 60_000);

  it('removing query tags leaves no row of them, and takes no other', async () => {
    const made = world();
    const first = made.process();
    const all = files(12);
    for (const one of all) await store(first, one);
    expect(await first.jobs.run(await tagged.add(first), Infinity)).toBe('over');
    await first.archive.close();
    let kills = 0;
    for (const tag of tags) {
      kills += await killJob(made, 2, await tagged.startRemoval(first, tag));
      const left = await tagged.indexed(made.process());
      expect(left.filter((row) => row.startsWith(tag.tag))).toEqual([]);
    }
    expect(kills).toBeGreaterThanOrEqual(leastKills);
    const after = made.process();
    expect((await after.archive.queryTags.read()).tags).toEqual([]);
    expect(await tagged.findings(after)).toEqual([]);
  }, 60_000);

  it('expiry deletes every study that is due, once, and no other', async () => {
    const made = world();
    const { clock, process, tables } = made;
    const first = process();
    const all = files(15);
    const due = all.slice(0, 12);
    for (const one of all) await store(first, one);
    await first.archive.close();
    for (const one of due) {
      const study = tagged.there(parseUid<StudyInstanceUID>(one.study));
      const { record } = await first.archive.catalog.studyRow(defaultPartition, study);
      const { created } = tagged.there(record);
      await first.expiry.set({ partition: defaultPartition, study, due: tables.now(), created });
    }
    clock.ahead += 60_000;
    const kills = await killAll(made, 1, async (services) => {
      clock.ahead += 5000;
      await expireStudies(services, Infinity);
      return true;
    });
    expect(kills).toBeGreaterThanOrEqual(leastKills);
    clock.ahead += 60_000;
    const after = process();
    await after.archive.recover();
    expect(await expireStudies(after, Infinity)).toBe(0);
    const deleted = due.map(({ instance }) => `Delete ${instance}`);
    const stored = all.map(({ instance }) => `Create ${instance}`);
    expect(await changesOf(after)).toEqual([...deleted, ...stored].sort());
    const left = await inProcess(after)('GET', '/studies');
    expect(await left.json()).toHaveLength(3);
  }, 60_000);

  it('an import stores every file once', async () => {
    const made = world();
    const { blobs, clock, process } = made;
    const all = files(6);
    let kills = 0;
    for (const { instance, file: bytes } of all) {
      await blobs.put('import', instance, tagged.bodyOf(bytes));
      kills += await killAll(made, 1, async (services) => {
        clock.ahead += 5000;
        await importFile(services, instance);
        return true;
      });
    }
    expect(kills).toBeGreaterThanOrEqual(leastKills);
    clock.ahead += 60_000;
    const after = process();
    await after.archive.recover();
    expect(await changesOf(after)).toEqual(all.map(({ instance }) => `Create ${instance}`).sort());
    expect(blobs.names('import')).toEqual([]);
    expect(blobs.names('import-reports')).toHaveLength(all.length);
    expect(blobs.names('import-refused')).toEqual([]);
  }, 60_000);
});
