/** The export as a job: killed between slices, and beside deletes. */
import { describe, expect, it } from '@jest/globals';
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import type { ExportState } from '../../../src/dicomweb/export/export-job.js';
import { parseIdentifier } from '../../../src/dicomweb/export/export-targets.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import type { StudyInstanceUID } from '../../../src/dicom/uid.js';
import { ServiceError } from '../../../src/errors.js';
import { readConfig } from '../../../src/host/config.js';
import type { JobId } from '../../../src/jobs/job.js';
import { jobTiming } from '../../../src/jobs/jobs.js';
import { defaultPartition } from '../../../src/storage/archive/keys.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryExportDestinations } from '../../../src/storage/memory/memory-export-destinations.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { sample, type Sample } from '../../support/conformance.js';

const uri = 'https://account.blob.core.windows.net/backup';

async function* body(bytes: Uint8Array) {
  await Promise.resolve();
  yield bytes;
}

/** Stores, and processes over them that come and go. */
function world() {
  const exports = new MemoryExportDestinations();
  const container = new Map<string, Buffer>();
  exports.containers.set(uri, container);
  const stores = { tables: new MemoryTableStore(), blobs: new MemoryBlobStore(), exports };
  const process = () => createServices(stores, readConfig({}));
  return { exports, container, process };
}

async function store(services: Services, files: readonly Sample[]): Promise<void> {
  for (const { instance, file } of files) {
    await services.archive.blobs.put('import', instance, body(file));
    await importFile(services, instance);
  }
}

async function start({ jobs }: Services, values?: readonly string[]): Promise<JobId> {
  const input = {
    partition: defaultPartition,
    ...(values && { identifiers: values.map(parseIdentifier) }),
    destination: { blobContainerUri: uri, useManagedIdentity: true },
  };
  const state: ExportState = { at: 0, exported: 0, skipped: 0, errorHref: '' };
  return await jobs.start('export', JSON.stringify(input), JSON.stringify(state));
}

/** Runs a job until a put, at which its process hangs for ever and another takes its place. */
async function killed(
  exports: MemoryExportDestinations,
  process: () => Services,
  id: JobId,
  atPut: number,
): Promise<void> {
  let puts = 0;
  await new Promise<void>((resolve, reject) => {
    exports.beforePut = async () => {
      puts += 1;
      if (puts < atPut) return;
      resolve();
      await new Promise(() => undefined);
    };
    process()
      .jobs.run(id, 0)
      .then(() => {
        reject(new Error('It was not killed.'));
      }, reject);
  });
  exports.beforePut = async () => await Promise.resolve();
  await process().jobs.attend({ alone: true });
}

async function stateOf({ jobs }: Services, id: JobId): Promise<ExportState> {
  return JSON.parse((await jobs.find(id))?.state ?? '') as ExportState;
}

const nameIn = (id: JobId, { study, series, instance }: Sample) =>
  `${id}/results/${study}/${series}/${instance}.dcm`;

describe('an export', () => {
  it('has every instance once, and counts it once, however often it is killed', async () => {
    const { exports, container, process } = world();
    const first = sample();
    const { study, series } = first;
    // A study of thirty, which the end of the first slice cuts in two, and instances among what is not there.
    const inStudy = [
      first,
      ...Array.from({ length: 29 }, (_, at) =>
        sample(at % 3 === 0 ? { study } : { study, series }),
      ),
    ];
    const single = Array.from({ length: 60 }, () => sample());
    const files = [...inStudy, ...single];
    await store(process(), files);
    const values = single.flatMap(({ study: one }, at) => [
      ...Array.from({ length: 4 }, (_, other) => `1.2.3.${at}.${other}`),
      one,
    ]);
    values.splice(80, 0, study);
    const id = await start(process(), values);
    for (let kill = 1; kill <= 20; kill += 1) {
      // Somewhere in a slice: what was put stays, what was to be noted is not.
      await killed(exports, process, id, 1 + (kill % 6));
      if (kill % 5 === 0) await process().jobs.run(id, 0);
    }
    while ((await process().jobs.run(id, 0)) !== 'over');
    const services = process();
    expect(await services.jobs.find(id)).toMatchObject({ status: 'succeeded', input: '{}' });
    expect(await stateOf(services, id)).toMatchObject({ exported: 90, skipped: 240 });
    const log = container.get(`${id}/errors.log`)?.toString() ?? '';
    expect(log.trimEnd().split('\n')).toHaveLength(240);
    const results = [...container.keys()].filter((name) => name.endsWith('.dcm'));
    expect(results.sort()).toEqual(files.map((file) => nameIn(id, file)).sort());
    for (const file of files) {
      const blob = container.get(nameIn(id, file));
      expect(blob?.subarray(128).equals(file.file.subarray(128))).toBe(true);
    }
    await services.archive.close();
  });

  it('of everything has every instance once, however often it is killed, and nothing that came later', async () => {
    const { exports, container, process } = world();
    const study = sample();
    const many = Array.from({ length: 150 }, (_, at) =>
      at % 3 === 0 ? sample() : sample({ study: study.study }),
    );
    const files = [study, ...many];
    const first = process();
    await store(first, files);
    const id = await start(first);
    const late = sample();
    for (let kill = 1; kill <= 20; kill += 1) {
      if (kill === 8) await process().jobs.run(id, 0);
      if (kill === 9) await store(first, [late]);
      await killed(exports, process, id, 1 + (kill % 9));
    }
    while ((await process().jobs.run(id, 0)) !== 'over');
    expect(await stateOf(first, id)).toMatchObject({ exported: 151, skipped: 0 });
    const results = [...container.keys()].filter((name) => name.endsWith('.dcm'));
    expect(results.sort()).toEqual(files.map((file) => nameIn(id, file)).sort());
    expect(container.has(`${id}/errors.log`)).toBe(false);
    await first.archive.close();

    // It is a backup: an empty archive that imports it has all of it.
    const restored = world().process();
    for (const name of results) {
      const bytes = container.get(name) ?? Buffer.alloc(0);
      await restored.archive.blobs.put('import', name, body(bytes));
      expect(await importFile(restored, name)).toMatchObject({ outcome: 'stored' });
    }
    const back = await start(restored);
    while ((await restored.jobs.run(back, 0)) !== 'over');
    expect(await stateOf(restored, back)).toMatchObject({ exported: 151, skipped: 0 });
    await restored.archive.close();
  });

  it('passes over an instance that cannot be written, says so, and goes on', async () => {
    const { exports, container, process } = world();
    const files = Array.from({ length: 6 }, () => sample());
    const services = process();
    await store(services, files);
    const [one, other, lost] = files;
    if (one === undefined || other === undefined || lost === undefined) throw new Error('files');
    exports.beforePut = async (name) => {
      await Promise.resolve();
      if (name.includes(one.instance)) {
        throw new ServiceError('destination-refused', 'It is kept as it is.');
      }
      if (name.includes(other.instance)) throw new ServiceError('storage-unavailable', 'Away.');
    };
    const { blobs } = await services.archive.blobs.list('instances');
    const file = blobs.find(({ name }) => name.includes(`/${lost.instance}/`));
    if (file !== undefined) await services.archive.blobs.delete('instances', [file.name]);
    const id = await start(
      services,
      files.map(({ study }) => study),
    );
    // It may be away for all, for a while.
    for (let time = 0; time < 3; time += 1) {
      await expect(process().jobs.run(id, Infinity)).rejects.toThrow('Away.');
    }
    expect(await process().jobs.run(id, Infinity)).toBe('over');
    expect(await services.jobs.find(id)).toMatchObject({ status: 'succeeded' });
    expect(await stateOf(services, id)).toMatchObject({ exported: 3, skipped: 3 });
    const lines = container.get(`${id}/errors.log`)?.toString().trimEnd().split('\n') ?? [];
    const said = lines.map((line) => JSON.parse(line) as { identifier: string; error: string });
    const name = ({ study, series, instance }: Sample) => `${study}/${series}/${instance}`;
    expect(new Map(said.map(({ identifier, error }) => [identifier, error]))).toEqual(
      new Map([
        [name(one), 'It is kept as it is.'],
        [name(other), 'The instance could not be copied: Away.'],
        [name(lost), 'The file of the instance is missing or damaged.'],
      ]),
    );
    await services.archive.close();
  });

  it('fails when nothing can be written, its log neither', async () => {
    const { exports, process } = world();
    const services = process();
    const file = sample();
    await store(services, [file]);
    exports.beforePut = async () =>
      await Promise.reject(new ServiceError('storage-unavailable', 'Away.'));
    exports.beforeAppend = exports.beforePut;
    const id = await start(services, [file.study]);
    for (let time = 0; time < jobTiming.mostFailures; time += 1) {
      await expect(process().jobs.run(id, Infinity)).rejects.toThrow('Away.');
    }
    expect(await services.jobs.find(id)).toMatchObject({ status: 'failed' });
    expect(await stateOf(services, id)).toMatchObject({ exported: 0, skipped: 0 });
    await services.archive.close();
  });

  it('of everything has a study that was deleted and stored anew a moment ago once', async () => {
    const { container, process } = world();
    const services = process();
    const one = sample();
    await store(services, [one]);
    await services.archive.delete(defaultPartition, one.study as StudyInstanceUID, {});
    await store(services, [one]);
    const id = await start(services);
    expect(await services.jobs.run(id, Infinity)).toBe('over');
    expect(await stateOf(services, id)).toMatchObject({ exported: 1, skipped: 0 });
    expect([...container.keys()]).toEqual([nameIn(id, one)]);
    await services.archive.close();
  });

  it('goes on beside deletes of what it has before it', async () => {
    const { exports, container, process } = world();
    const [one, other] = [sample(), sample()];
    const services = process();
    await store(services, [one, other]);
    const study = parseIdentifier(other.study)?.study;
    if (study === undefined) throw new Error('a study');
    exports.beforePut = async () => {
      await services.archive.delete(defaultPartition, study, {});
    };
    const id = await start(services, [one.study, other.study]);
    expect(await services.jobs.run(id, Infinity)).toBe('over');
    expect(await stateOf(services, id)).toMatchObject({ exported: 1, skipped: 1 });
    expect(container.get(`${id}/errors.log`)?.toString()).toContain(
      'The specified study cannot be found.',
    );
    await services.archive.close();
  });
});
