/** The budgets of long work on the architecture page, counted call by call. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { expireStudies } from '../../src/dicomweb/delete/expire-studies.js';
import type { ExportState } from '../../src/dicomweb/export/export-job.js';
import { beforeUpdate } from '../../src/dicomweb/update/update-job.js';
import { createServices, type Services } from '../../src/dicomweb/services.js';
import { parseUid, type StudyInstanceUID } from '../../src/dicom/uid.js';
import { readConfig } from '../../src/host/config.js';
import type { JobId } from '../../src/jobs/job.js';
import { defaultPartition } from '../../src/storage/archive/keys.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { MemoryExportDestinations } from '../../src/storage/memory/memory-export-destinations.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import { importFile } from '../../src/dicomweb/import/import-file.js';
import * as tagged from '../dicomweb/query-tags/tagged-world.js';
import { freshUids } from '../support/conformance.js';
import { counted } from '../support/storage/counted-calls.js';
import { tableRows } from './markdown.js';

const columns = ['Long work', 'Table calls', 'Blob calls'];
const budgets = tableRows('docs/architecture.md', columns);

const studies = 4;
const perStudy = 25;
const seriesPerStudy = 5;
const uri = 'https://account.blob.core.windows.net/backup';

describe('docs/architecture.md, budgets of long work', () => {
  const calls = { table: 0, blob: 0 };
  const clock = { ahead: 0 };
  const tables = counted(
    new MemoryTableStore({ now: () => Date.now() + clock.ahead }),
    () => calls.table++,
  );
  const blobs = counted(new MemoryBlobStore(), () => calls.blob++);
  const exports = new MemoryExportDestinations();
  exports.containers.set(uri, new Map());
  exports.beforePut = async () => {
    calls.blob += 1;
    await Promise.resolve();
  };
  const services: Services = createServices({ tables, blobs, exports }, readConfig({}));
  const files: tagged.Numbered[] = [];

  async function settle(): Promise<void> {
    await services.archive.close();
    calls.table = 0;
    calls.blob = 0;
  }

  beforeAll(async () => {
    for (let study = 0; study < studies; study += 1) {
      const { study: uid } = freshUids();
      const series = Array.from({ length: seriesPerStudy }, () => freshUids().series);
      for (let at = 0; at < perStudy; at += 1) {
        const one = tagged.file(study, { study: uid, series: series[at % seriesPerStudy] ?? '' });
        files.push(one);
        await tagged.store(services, one);
      }
    }
  });

  async function start(input: object): Promise<JobId> {
    const destination = { blobContainerUri: uri, useManagedIdentity: true };
    const state: ExportState = { at: 0, exported: 0, skipped: 0, errorHref: '' };
    const all = { partition: defaultPartition, ...input, destination };
    return await services.jobs.start('export', JSON.stringify(all), JSON.stringify(state));
  }

  const over = async (id: JobId) => await services.jobs.run(id, Infinity);

  async function expireAll(): Promise<void> {
    for (const uid of new Set(files.map(({ study }) => study))) {
      const study = tagged.there(parseUid<StudyInstanceUID>(uid));
      const { record } = await services.archive.catalog.studyRow(defaultPartition, study);
      const { created } = tagged.there(record);
      const due = tables.now() + 1000;
      await services.expiry.set({ partition: defaultPartition, study, due, created });
    }
    clock.ahead += 60_000;
    await settle();
    expect(await expireStudies(services, Infinity)).toBe(studies);
  }

  async function removeAll(): Promise<void> {
    for (const tag of tagged.tags) {
      expect(await over(await tagged.startRemoval(services, tag))).toBe('over');
    }
  }

  /** In the order of the table: later work needs what earlier work left. */
  const work: Readonly<Record<string, () => Promise<void>>> = {
    'index 100 instances of 20 series and 4 studies by a tag of each level': async () => {
      const id = await tagged.add(services);
      expect(await over(id)).toBe('over');
    },
    'remove those three tags': removeAll,
    'export those 100 instances': async () => {
      expect(await over(await start({}))).toBe('over');
      const results = [...(exports.containers.get(uri)?.keys() ?? [])];
      expect(results.filter((name) => name.endsWith('.dcm'))).toHaveLength(studies * perStudy);
    },
    'give those 100 instances another PatientName': async () => {
      const input = {
        partition: defaultPartition,
        studies: [...new Set(files.map(({ study }) => study))],
        changes: { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'New^Name' }] } },
      };
      const state = JSON.stringify(beforeUpdate(studies, 1));
      const id = await services.jobs.startAlone('update', JSON.stringify(input), state);
      expect(await over(id)).toBe('over');
      const { state: after } = tagged.there(await services.jobs.find(id));
      expect(JSON.parse(after)).toMatchObject({ instancesUpdated: studies * perStudy });
      await services.archive.close();
    },
    'import a file of a series that is there': async () => {
      const { study, series } = tagged.there(files[0]);
      const one = tagged.file(0, { study, series });
      await blobs.put('import', one.instance, tagged.bodyOf(one.file));
      await settle();
      expect(await importFile(services, one.instance)).toMatchObject({ outcome: 'stored' });
    },
    'delete the 4 studies, since they have expired': expireAll,
  };

  it('are those of the work below', () => {
    expect(budgets.map(([name]) => name)).toEqual(Object.keys(work));
  });

  it.each(Object.entries(work))('%s', async (name, act) => {
    const [, table, blob] = budgets.find(([one]) => one === name) ?? [];
    await settle();
    await act();
    const { table: tableCalls, blob: blobCalls } = calls;
    expect(tableCalls).toBeLessThanOrEqual(Number(table));
    expect(blobCalls).toBeLessThanOrEqual(Number(blob));
    expect(tableCalls).toBeGreaterThan(0);
  });
});
