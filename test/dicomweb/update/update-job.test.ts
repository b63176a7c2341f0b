/** Bulk update as a job: killed at every call of storage, beside stores, replacements and deletes that go on. */
import { describe, expect, it } from '@jest/globals';
import type { DataSet } from '../../../src/dicom/data-set.js';
import { tagOf } from '../../../src/dicom/dictionary.js';
import { parsePart10 } from '../../../src/dicom/part10/part10.js';
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import {
  beforeUpdate,
  errorsOf,
  type UpdateState,
} from '../../../src/dicomweb/update/update-job.js';
import { readConfig } from '../../../src/host/config.js';
import type { JobId } from '../../../src/jobs/job.js';
import { defaultPartition } from '../../../src/storage/archive/keys.js';
import { blobName } from '../../../src/storage/archive/blob-name.js';
import type { InstanceRow } from '../../../src/storage/archive/catalog.js';
import { bytesOf } from '../../../src/storage/archive/log/totals.js';
import { checkStore } from '../../../src/storage/archive/store-check.js';
import type { BlobStore } from '../../../src/storage/blob-store.js';
import { allBytes } from '../../../src/storage/body.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { StorageCall } from '../../../src/storage/storage-call.js';
import type { TableStore } from '../../../src/storage/table-store.js';
import { sample, type Sample } from '../../support/conformance.js';
import { DyingStorage } from '../../support/storage/dying-storage.js';
import { element } from '../../support/part10-builder.js';

function there<Of>(value: Of | undefined): Of {
  if (value === undefined) throw new Error('not there');
  return value;
}

const patientId = there(tagOf('PatientID'));
const patientName = there(tagOf('PatientName'));

function world() {
  const calls: StorageCall[] = [];
  const onCall = (call: StorageCall) => calls.push(call);
  const tables = new MemoryTableStore({ onCall });
  const blobs = new MemoryBlobStore({ onCall });
  const process = (overTables: TableStore = tables, overBlobs: BlobStore = blobs) =>
    createServices({ tables: overTables, blobs: overBlobs }, readConfig({}));
  return { tables, blobs, calls, process };
}

async function store(services: Services, one: Sample): Promise<void> {
  const body = async function* () {
    await Promise.resolve();
    yield one.file;
  };
  await services.archive.blobs.put('import', one.instance, body());
  expect((await importFile(services, one.instance))?.outcome).toBe('stored');
}

const changes: DataSet = {
  [patientId]: { vr: 'LO', Value: ['NEW'] },
  [patientName]: { vr: 'PN', Value: [{ Alphabetic: 'New^Name' }] },
};

async function start(
  services: Services,
  studies: readonly string[],
  changed: DataSet = changes,
): Promise<JobId> {
  const input = { partition: defaultPartition, studies, changes: changed };
  const state = JSON.stringify(beforeUpdate(studies.length, 1));
  return await services.jobs.startAlone('update', JSON.stringify(input), state);
}

async function stateOf(services: Services, id: JobId): Promise<UpdateState> {
  return JSON.parse(there(await services.jobs.find(id)).state) as UpdateState;
}

async function rowsOf(services: Services, study: string): Promise<readonly InstanceRow[]> {
  const rows: InstanceRow[] = [];
  const pages = services.archive.instancesWithMetadata(defaultPartition, study as never);
  for await (const page of pages) rows.push(...page);
  return rows;
}

async function dataSetOf(services: Services, row: InstanceRow): Promise<DataSet> {
  return JSON.parse(await services.archive.files.metadataText(defaultPartition, row)) as DataSet;
}

async function findings(services: Services): Promise<readonly string[]> {
  const { tables, blobs } = services.archive;
  const found: string[] = [];
  for await (const { kind } of checkStore({ tables, blobs }, { orphanAge: 0 })) found.push(kind);
  // Files of what was deleted, replaced or killed stay for a while.
  return found.filter((kind) => kind !== 'blob-orphaned');
}

/** The file, the rows and the index of an instance agree, and say what the job wrote. */
async function expectUpdated(services: Services, row: InstanceRow, one: Sample): Promise<void> {
  const { record } = row;
  const name = blobName(defaultPartition, record, record.version, 'dcm');
  const file = await allBytes(there(await services.archive.blobs.get('instances', name)).body);
  expect(file).toHaveLength(record.length);
  const [before, after] = [await parsePart10(one.file), await parsePart10(file)];
  const index = await services.archive.files.index(defaultPartition, row);
  expect(index).toEqual({ frames: after.frames, bulk: after.bulk });
  const others = (list: typeof before) =>
    list.dataSet.elements
      .filter(({ tag }) => tag !== patientId && tag !== patientName)
      .map(({ tag, bytes }) => [tag, bytes]);
  expect(others(after)).toEqual(others(before));
  expect(await dataSetOf(services, row)).toMatchObject(changes);
  const original = there(await services.archive.originals.instance(defaultPartition, record));
  expect((await dataSetOf(services, original))[patientId]?.Value).toEqual(['OLD']);
}

const old = (known: Partial<Sample> = {}) =>
  sample({
    ...known,
    overrides: [element(patientId, 'LO', 'OLD'), element(patientName, 'PN', 'Old^Name')],
  });

describe('a bulk update', () => {
  it('skips nothing and does nothing twice, wherever it is killed', async () => {
    const { tables, blobs, process } = world();
    const [a, b] = [old(), old()];
    const files = [
      ...[a, b],
      ...Array.from({ length: 30 }, () => old({ study: a.study })),
      ...Array.from({ length: 40 }, () => old({ study: b.study, series: b.series })),
    ];
    const first = process();
    for (const one of files) await store(first, one);
    await first.archive.close();
    const totals = await first.archive.totals(defaultPartition);
    const id = await start(first, [a.study, '1.2.3.4', b.study]);
    let kills = 0;
    for (let dieAt = 3; ; dieAt += 6) {
      const dying = new DyingStorage(dieAt);
      const services = process(dying.over(tables), dying.over(blobs));
      const run = await services.jobs.run(id, Infinity).catch(() => 'dead' as const);
      await services.archive.close().catch(() => undefined);
      if (run === 'over') break;
      kills += 1;
      // The lease of the dead is over.
      const stored = there(await tables.get('operations', 'jobs', id));
      const properties = { ...stored.properties, leasedUntil: 0, failures: 0, status: 'running' };
      await tables.transact('operations', 'jobs', [{ kind: 'upsert', rowKey: id, properties }]);
    }
    expect(kills).toBeGreaterThanOrEqual(20);
    const after = process();
    // What the dead left open is settled after a while, and cleared away after another.
    const real = tables.now.bind(tables);
    for (const minutes of [15, 30]) {
      tables.now = () => real() + minutes * 60_000;
      await after.archive.recover();
    }
    expect(await stateOf(after, id)).toMatchObject({
      at: 3,
      studiesUpdated: 2,
      instancesUpdated: files.length,
      failures: 0,
    });
    const rows = [...(await rowsOf(after, a.study)), ...(await rowsOf(after, b.study))];
    expect(rows).toHaveLength(files.length);
    for (const row of rows) {
      const one = there(files.find(({ instance }) => instance === row.record.instance));
      await expectUpdated(after, row, one);
    }
    // One change each, however often it was begun.
    const actions = (await after.archive.feed.changes(0, 1000)).map(({ action }) => action);
    expect(actions.filter((action) => action === 'Update')).toHaveLength(files.length);
    const bytes = bytesOf(rows.map(({ record }) => record));
    expect(bytes).toBeGreaterThan(totals?.bytes ?? Infinity);
    expect(await after.archive.totals(defaultPartition)).toEqual({ ...totals, bytes });
    // Index rows of who died before the log knew of him are left to the sweep.
    const left = (await findings(after)).filter((kind) => kind !== 'index-row-dangling');
    expect(left).toEqual([]);
  }, 60_000);

  it('loses nothing of what is stored, replaced and deleted meanwhile', async () => {
    const { process } = world();
    const base = old();
    const runner = process();
    const files = new Map([[base.instance, base]]);
    await store(runner, base);
    for (let number = 0; number < 100; number++) {
      const one = old({ study: base.study, ...(number % 3 > 0 && { series: base.series }) });
      files.set(one.instance, one);
      await store(runner, one);
    }
    const clients = [process(), process(), process()];
    const doomed = [...files.values()].slice(10, 50);
    const id = await start(runner, [base.study]);
    const running = runner.jobs.run(id, Infinity);
    await Promise.all([
      ...doomed.map(async ({ study, series, instance }, at) => {
        files.delete(instance);
        await there(clients[at % 3]).archive.delete(defaultPartition, study as never, {
          series: series as never,
          instance: instance as never,
        });
      }),
      ...Array.from({ length: 30 }, async (_, at) => {
        const one = old({ study: base.study, series: base.series });
        files.set(one.instance, one);
        await store(there(clients[at % 3]), one);
      }),
    ]);
    expect(await running).toBe('over');
    for (const services of [...clients, runner]) await services.archive.close();
    const rows = await rowsOf(runner, base.study);
    expect(rows.map(({ record }) => record.instance).sort()).toEqual([...files.keys()].sort());
    const updated = rows.filter(({ record }) => record.update !== undefined);
    for (const row of updated) {
      await expectUpdated(runner, row, there(files.get(row.record.instance)));
    }
    const state = await stateOf(runner, id);
    expect(updated.length).toBeLessThanOrEqual(state.instancesUpdated);
    expect(updated.length).toBeGreaterThanOrEqual(61);
    expect(state.failures).toBe(0);
    expect(await findings(runner)).toEqual([]);
  }, 60_000);

  it('notes an instance that it cannot update, and goes on with the next', async () => {
    const { blobs, process } = world();
    const [one, other] = [old(), old()];
    const second = old({ study: one.study, series: one.series });
    const services = process();
    for (const file of [one, second, other]) await store(services, file);
    const row = there(
      await services.archive.catalog.instance(defaultPartition, one as never, ['version']),
    );
    const name = blobName(defaultPartition, one as never, row.record.version, 'dcm');
    await blobs.delete('instances', [name]);
    const id = await start(services, [one.study, other.study]);
    expect(await services.jobs.run(id, Infinity)).toBe('over');
    expect((await services.jobs.find(id))?.status).toBe('failed');
    const state = await stateOf(services, id);
    expect(state).toMatchObject({ at: 2, studiesUpdated: 1, instancesUpdated: 2, failures: 1 });
    const uids = `StudyInstanceUID: ${one.study}, SeriesInstanceUID: ${one.series}, SOPInstanceUID: ${one.instance}`;
    expect(errorsOf(state, false)).toEqual([
      `Failed to update instances for study ${one.study}`,
      `Instance UIDs - PartitionKey: 1, ${uids}`,
    ]);
    expect(errorsOf(state, true)[1]).toMatch(/: The stored file is missing\.$/);
    expect(errorsOf({ ...state, failures: 6 }, false)[2]).toBe(
      'There are more instances failed to update than listed above. Please check the diagnostics logs for the complete list.',
    );
  });

  it('moves what is indexed for query tags, of studies and of instances', async () => {
    const { process } = world();
    const services = process();
    const { queryTags, index } = services.archive;
    const tags = [
      { tag: there(tagOf('PatientBirthName')), vr: 'PN', level: 'study' },
      { tag: there(tagOf('PatientAge')), vr: 'AS', level: 'instance' },
    ] as const;
    await queryTags.change(() =>
      tags.map((tag) => ({ ...tag, status: 'ready', enabled: true, errors: 0 })),
    );
    const aged = (known: Partial<Sample> = {}) =>
      sample({
        ...known,
        overrides: [element('00101005', 'PN', 'Old^Birth'), element('00101010', 'AS', '040Y')],
      });
    const one = aged();
    for (const file of [one, aged({ study: one.study })]) await store(services, file);
    const indexed = async () => {
      const values: string[] = [];
      for (const tag of tags) {
        for await (const page of index.rowsOfAttribute(defaultPartition, tag)) {
          values.push(...page.map(({ value }) => value));
        }
      }
      return values;
    };
    expect(await indexed()).toEqual(['old^birth', '040y', '040y']);
    const changed = {
      '00101005': { vr: 'PN', Value: [{ Alphabetic: 'New^Birth' }] },
      '00101010': { vr: 'AS', Value: ['041Y'] },
    } as const;
    const id = await start(services, [one.study], changed);
    expect(await services.jobs.run(id, Infinity)).toBe('over');
    await services.archive.close();
    expect(await indexed()).toEqual(['new^birth', '041y', '041y']);
    expect(await findings(services)).toEqual([]);
    await services.archive.delete(defaultPartition, one.study as never, {});
    await services.archive.close();
    expect(await indexed()).toEqual([]);
  });

  it('reads and writes each file once, and shares the rest among 32', async () => {
    const { calls, process } = world();
    const services = process();
    const first = old();
    await store(services, first);
    for (let number = 1; number < 64; number++) {
      await store(services, old({ study: first.study, series: first.series }));
    }
    await services.archive.close();
    const id = await start(services, [first.study]);
    calls.length = 0;
    expect(await services.jobs.run(id, Infinity)).toBe('over');
    await services.archive.close();
    const count = (service: StorageCall['service']) =>
      calls.filter((call) => call.service === service).length;
    expect(count('blob')).toBe(2 * 64);
    expect(count('table')).toBeLessThanOrEqual(64);
  });

  it('runs one at a time', async () => {
    const { process } = world();
    const services = process();
    const ids = await Promise.all(Array.from({ length: 5 }, () => start(services, ['1.2.3'])));
    expect(new Set(ids).size).toBe(1);
    const [id] = ids;
    expect(await services.jobs.run(there(id), Infinity)).toBe('over');
    expect(await start(services, ['1.2.3'])).not.toBe(id);
  });
});
