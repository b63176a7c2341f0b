/** Studies that expire, as in the managed service of Azure Health Data Services. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expireStudies } from '../../../src/dicomweb/delete/expire-studies.js';
import { createServices } from '../../../src/dicomweb/services.js';
import type { StudyInstanceUID } from '../../../src/dicom/uid.js';
import { readConfig } from '../../../src/host/config.js';
import { runExpiry } from '../../../src/host/jobs/expiry-job.js';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import { defaultPartition } from '../../../src/storage/archive/keys.js';
import { ExpiryRegistry } from '../../../src/storage/expiry-registry.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { sample, type Sample } from '../../support/conformance.js';
import { startService, type Service } from '../../support/service.js';

describe('a study that expires', () => {
  let ahead = 0;
  const tables = new MemoryTableStore({ now: () => Date.now() + ahead });
  const services = createServices({ tables, blobs: new MemoryBlobStore() }, readConfig({}));
  let service: Service;

  beforeAll(async () => {
    service = await startService({
      host: 'local',
      services: async () => await Promise.resolve(services),
    });
  });

  afterAll(async () => {
    await service.stop();
  });

  async function store(
    { file }: Sample,
    expiry: Readonly<Record<string, string>> = {},
    { version = '/v2', method = 'POST' } = {},
  ) {
    const answer = await fetch(`${service.baseUrl}${version}/studies`, {
      method,
      headers: { 'Content-Type': 'application/dicom', ...expiry },
      body: file,
    });
    return { status: answer.status, text: await answer.text() };
  }

  const after = (milliseconds: number) => ({
    'msdicom-expiry-time-milliseconds': String(milliseconds),
    'msdicom-expiry-option': 'RelativeToNow',
    'msdicom-expiry-level': 'Study',
  });
  const hour = 3_600_000;

  async function isThere({ study }: Sample): Promise<boolean> {
    const answer = await fetch(`${service.baseUrl}/studies/${study}/metadata`);
    await answer.arrayBuffer();
    return answer.status === 200;
  }

  const expire = async () => await expireStudies(services, Infinity);

  it('is deleted when its time has come, and not before; the change feed says so', async () => {
    const [one, kept] = [sample(), sample()];
    expect((await store(one, after(hour))).status).toBe(200);
    expect((await store(kept)).status).toBe(200);
    expect(await expire()).toBe(0);
    expect(await isThere(one)).toBe(true);
    ahead += hour + 1000;
    const log: LogEntry[] = [];
    await runExpiry(
      async () => await Promise.resolve(services),
      (entry) => log.push(entry),
    );
    expect(log).toEqual([{ event: 'notice', message: 'Expiry deleted 1 studies.' }]);
    expect(await isThere(one)).toBe(false);
    expect(await isThere(kept)).toBe(true);
    const latest = await fetch(`${service.baseUrl}/changefeed/latest`);
    expect(await latest.json()).toMatchObject({
      action: 'Delete',
      state: 'Deleted',
      studyInstanceUid: one.study,
    });
    expect(await expire()).toBe(0);
  });

  it.each(['', '/v1', '/v2'])(
    'takes the time of the last store that has one, under …%s',
    async (version) => {
      const one = sample();
      const more = () => sample({ study: one.study });
      await store(one, after(2 * hour), { version });
      await store(more(), after(hour), { version });
      await store(more(), {}, { version });
      await store(one, after(3 * hour), { version, method: 'PUT' });
      ahead += 2 * hour + 1000;
      expect(await expire()).toBe(0);
      ahead += hour;
      expect(await expire()).toBe(1);
      expect(await isThere(one)).toBe(false);
    },
  );

  it('is not the one that was stored anew since', async () => {
    const one = sample();
    await store(one, after(hour));
    await fetch(`${service.baseUrl}/studies/${one.study}`, { method: 'DELETE' });
    await store(one);
    ahead += hour + 1000;
    await expire();
    expect(await isThere(one)).toBe(true);
    expect(await expire()).toBe(0);
  });

  it('loses nothing that is stored with a later end while it is being deleted', async () => {
    const one = sample();
    const late = sample({ study: one.study });
    await store(one, after(hour));
    ahead += hour + 1000;
    const [target] = await services.expiry.due(tables.now(), 1);
    if (target?.study !== one.study) throw new Error('not due');
    let storing: ReturnType<typeof store> | undefined;
    await services.expiry.end(target, async () => {
      storing = store(late, after(hour));
      // It waits for the end of this.
      await services.archive.delete(defaultPartition, target.study, {});
    });
    expect((await storing)?.status).toBe(200);
    expect(await isThere(late)).toBe(true);
    expect(await expire()).toBe(0);
    ahead += hour + 1000;
    expect(await expire()).toBe(1);
  });

  it('is deleted by the next run when one dies on the way', async () => {
    const one = sample();
    await store(one, after(hour));
    ahead += hour + 1000;
    const [target] = await services.expiry.due(tables.now(), 1);
    if (target === undefined) throw new Error('not due');
    const dying = services.expiry.end(target, async () => await Promise.reject(new Error('dead')));
    await expect(dying).rejects.toThrow('dead');
    expect(await isThere(one)).toBe(true);
    expect(await expire()).toBe(1);
    expect(await isThere(one)).toBe(false);
  });

  it('is not the one that was stored, and has an end, since another run has done the same', async () => {
    const one = sample();
    await store(one, after(hour));
    ahead += hour + 1000;
    const [target] = await services.expiry.due(tables.now(), 1);
    if (target === undefined) throw new Error('not due');
    const late = await services.expiry.end(target, async (created) => {
      expect(await expire()).toBe(1);
      expect((await store(one, after(hour))).status).toBe(200);
      await services.archive.delete(defaultPartition, target.study, { created });
    });
    expect(late).toBe(false);
    expect(await isThere(one)).toBe(true);
    expect(await expire()).toBe(0);
    ahead += hour + 1000;
    expect(await expire()).toBe(1);
    expect(await isThere(one)).toBe(false);
  });

  it.each([
    [{ 'msdicom-expiry-time-milliseconds': '0' }, 'must be a whole number'],
    [{ 'msdicom-expiry-time-milliseconds': '1.5' }, 'must be a whole number'],
    [{ 'msdicom-expiry-time-milliseconds': 'x' }, 'must be a whole number'],
    [{ 'msdicom-expiry-option': 'RelativeToNow' }, 'expiry-time-milliseconds is missing'],
    [{ ...after(1), 'msdicom-expiry-option': 'Absolute' }, 'must be RelativeToNow'],
    [{ ...after(1), 'msdicom-expiry-level': 'Series' }, 'must be Study'],
  ])('is not stored with %j', async (headers, text) => {
    const one = sample();
    const answer = await store(one, headers);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
    expect(await isThere(one)).toBe(false);
  });

  it('costs a run one call where nothing is due, however much is to come', async () => {
    let queries = 0;
    class Counting extends MemoryTableStore {
      override async query(...given: Parameters<MemoryTableStore['query']>) {
        queries += 1;
        return await super.query(...given);
      }
    }
    const counting = new Counting();
    const registry = new ExpiryRegistry(counting);
    const created = services.archive.newVersion();
    for (let at = 0; at < 300; at += 1) {
      const study = `1.2.${at}` as StudyInstanceUID;
      await registry.set({ partition: defaultPartition, study, due: 1000 + at, created });
    }
    expect(await registry.due(999, 100)).toEqual([]);
    expect(queries).toBe(1);
    expect((await registry.due(1004, 100)).map(({ due }) => due)).toEqual([
      1000, 1001, 1002, 1003, 1004,
    ]);
  });
});
