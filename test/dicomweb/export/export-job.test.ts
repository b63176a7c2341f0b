/** The export as a job: killed between slices, and beside deletes. */
import { describe, expect, it } from '@jest/globals';
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import { parseIdentifier, type ExportState } from '../../../src/dicomweb/export/export-job.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import { ServiceError } from '../../../src/errors.js';
import { readConfig } from '../../../src/host/config.js';
import { newJobId, type JobId } from '../../../src/jobs/job.js';
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

async function start({ jobs }: Services, values: readonly string[]): Promise<JobId> {
  const input = {
    partition: defaultPartition,
    identifiers: values.map(parseIdentifier),
    destination: { blobContainerUri: uri, useManagedIdentity: true },
  };
  const state: ExportState = { at: 0, exported: 0, skipped: 0, errorHref: '' };
  return await jobs.start('export', JSON.stringify(input), JSON.stringify(state), newJobId());
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
      let puts = 0;
      exports.beforePut = async () => {
        puts += 1;
        if (puts === 1 + (kill % 6)) throw new ServiceError('storage-unavailable', 'Killed.');
        await Promise.resolve();
      };
      await expect(process().jobs.run(id, 0)).rejects.toThrow('Killed.');
      exports.beforePut = async () => await Promise.resolve();
      // A slice that succeeds, before it has failed too often in a row.
      if (kill % (jobTiming.mostFailures - 1) === 0) await process().jobs.run(id, 0);
    }
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
