/** Query tags as jobs: killed at every call of storage, and beside stores and deletes that go on. */
import { describe, expect, it } from '@jest/globals';
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import { beforeReindex } from '../../../src/dicomweb/query-tags/reindex-job.js';
import { beforeUntag } from '../../../src/dicomweb/query-tags/untag-job.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import { tagOf } from '../../../src/dicom/dictionary.js';
import type { VR } from '../../../src/dicom/vr.js';
import { readConfig } from '../../../src/host/config.js';
import { newJobId, type JobId } from '../../../src/jobs/job.js';
import { defaultPartition, type Level } from '../../../src/storage/archive/keys.js';
import type { ListedTag } from '../../../src/storage/archive/query-tag-list.js';
import { checkStore } from '../../../src/storage/archive/store-check.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { TableStore } from '../../../src/storage/table-store.js';
import { sample, type Sample } from '../../support/conformance.js';
import { DyingStorage } from '../../support/dying-storage.js';
import { element } from '../../support/part10-builder.js';

function there<Of>(value: Of | undefined): Of {
  if (value === undefined) throw new Error('not there');
  return value;
}

const named: readonly { keyword: string; vr: VR; level: Level }[] = [
  { keyword: 'PatientBirthName', vr: 'PN', level: 'study' },
  { keyword: 'PatientPosition', vr: 'CS', level: 'series' },
  { keyword: 'AcquisitionNumber', vr: 'IS', level: 'instance' },
];
const tags = named.map(({ keyword, vr, level }) => ({ tag: there(tagOf(keyword)), vr, level }));

function world() {
  const tables = new MemoryTableStore();
  const blobs = new MemoryBlobStore();
  const process = (over: TableStore = tables) =>
    createServices({ tables: over, blobs }, readConfig({}));
  return { tables, blobs, process };
}

function file(number: number, known: Partial<Sample> = {}): Sample {
  return sample({
    ...known,
    overrides: [
      element('00101005', 'PN', `Name${number % 3}^Of`),
      element('00185100', 'CS', `P${number % 4}`),
      element('00200012', 'IS', String(number % 5)),
    ],
  });
}

async function store(services: Services, one: Sample): Promise<void> {
  const body = async function* () {
    await Promise.resolve();
    yield one.file;
  };
  await services.archive.blobs.put('import', one.instance, body());
  await importFile(services, one.instance);
}

async function add(services: Services): Promise<JobId> {
  const id = newJobId();
  const entries = tags.map((tag): ListedTag => ({
    ...tag,
    status: 'adding',
    enabled: true,
    errors: 0,
    operation: id,
  }));
  await services.archive.queryTags.change(() => entries);
  const state = JSON.stringify(beforeReindex(tags.map(({ tag }) => tag)));
  await services.jobs.start('reindex', '{}', state, { id });
  return id;
}

/** What the index says, and what a scan of the data sets does: values with UIDs. */
async function indexed(services: Services): Promise<readonly string[]> {
  const found: string[] = [];
  for (const tag of tags) {
    for await (const page of services.archive.index.rowsOfAttribute(defaultPartition, tag)) {
      for (const { value, uids } of page) {
        found.push([tag.tag, value, uids.study, uids.series, uids.instance].join(' '));
      }
    }
  }
  return found.sort();
}

function scanned(
  files: readonly Sample[],
  numbers: ReadonlyMap<string, number>,
): readonly string[] {
  const found = new Set<string>();
  for (const { study, series, instance } of files) {
    const number = there(numbers.get(instance));
    const [name, position, acquisition] = tags.map(({ tag }) => tag);
    found.add([name, `name${number % 3}^of`, study, undefined, undefined].join(' '));
    found.add([position, `p${number % 4}`, study, series, undefined].join(' '));
    found.add([acquisition, String(number % 5), study, series, instance].join(' '));
  }
  return [...found].sort();
}

async function findings(services: Services): Promise<readonly string[]> {
  const { tables, blobs } = services.archive;
  const found: string[] = [];
  for await (const { kind } of checkStore({ tables, blobs }, { orphanAge: 0 })) found.push(kind);
  // Files of what was deleted stay for ten minutes.
  return found.filter((kind) => kind !== 'blob-orphaned');
}

describe('adding query tags', () => {
  it('misses nothing and does nothing twice, wherever it is killed', async () => {
    const { tables, process } = world();
    const numbers = new Map<string, number>();
    const files = Array.from({ length: 12 }, (_, number) => file(number));
    for (const [number, one] of files.entries()) {
      numbers.set(one.instance, number);
      await store(process(), one);
    }
    const first = process();
    const id = await add(first);
    let kills = 0;
    for (let dieAt = 4; ; dieAt += 3) {
      const services = process(new DyingStorage(dieAt).over(tables));
      const run = await services.jobs.run(id, Infinity).catch(() => 'dead' as const);
      if (run === 'over') break;
      kills += 1;
      // The lease of the dead is over.
      const stored = there(await first.jobs.find(id));
      await tables.transact('operations', 'jobs', [
        {
          kind: 'upsert',
          rowKey: id,
          properties: {
            ...there(await tables.get('operations', 'jobs', id)).properties,
            leasedUntil: 0,
            failures: 0,
            status: stored.status === 'failed' ? 'running' : stored.status,
          },
        },
      ]);
    }
    expect(kills).toBeGreaterThanOrEqual(20);
    const after = process();
    const [rows, expected] = [await indexed(after), scanned(files, numbers)];
    expect([...new Set(rows)]).toEqual(expected);
    expect((await after.archive.queryTags.read()).tags.map(({ status }) => status)).toEqual([
      'ready',
      'ready',
      'ready',
    ]);
  }, 60_000);

  it('indexes what is stored and deleted meanwhile by processes that did not know', async () => {
    const { process } = world();
    const numbers = new Map<string, number>();
    const files = new Map<string, Sample>();
    const clients = Array.from({ length: 4 }, () => process());
    let number = 0;
    const put = async (services: Services) => {
      const one = file(number);
      numbers.set(one.instance, number++);
      await store(services, one);
      files.set(one.instance, one);
    };
    for (let at = 0; at < 80; at++) await put(there(clients[at % 4]));
    const runner = process();
    const id = await add(runner);
    const running = runner.jobs.run(id, Infinity);
    await Promise.all(
      clients.map(async (client, which) => {
        for (let turn = 0; turn < 25; turn++) {
          if (turn % 3 === 2) {
            const doomed = [...files.values()].find((_, at) => at % 4 === which);
            if (doomed === undefined) continue;
            files.delete(doomed.instance);
            await client.archive.delete(defaultPartition, doomed.study as never, {});
          } else await put(client);
        }
      }),
    );
    expect(await running).toBe('over');
    for (const client of [...clients, runner]) await client.archive.close();
    expect(await indexed(runner)).toEqual(scanned([...files.values()], numbers));
    expect(await findings(runner)).toEqual([]);
    for (const { tag } of tags) {
      await runner.archive.queryTags.change((list) =>
        list.tags.map((one) => (one.tag === tag ? { ...one, status: 'deleting' } : one)),
      );
      const state = JSON.stringify(beforeUntag);
      await runner.jobs.startHere('untag', JSON.stringify({ tag }), state, Infinity);
    }
    expect(await indexed(runner)).toEqual([]);
    expect((await runner.archive.queryTags.read()).tags).toEqual([]);
    expect(await findings(runner)).toEqual([]);
  }, 60_000);
});
