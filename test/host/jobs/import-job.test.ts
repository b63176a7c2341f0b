/** The import function end to end: a blob, a message, an instance. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import { sampleInstance } from '../../support/part10-builder.js';
import { functionsApp, startService, type Service } from '../../support/service.js';

const uids = { study: '2.25.11', series: '2.25.12', instance: '2.25.13' };

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
async function* once(bytes: Uint8Array) {
  yield bytes;
}

async function deliver(message: string | object): Promise<void> {
  const core = await functionsApp();
  const [importFunction] = core.queues;
  if (importFunction === undefined) throw new Error('no queue trigger');
  await core.deliver(importFunction, message);
}

const eventOn = (name: string) => ({
  subject: `/blobServices/default/containers/import/blobs/${name}`,
  eventType: 'Microsoft.Storage.BlobCreated',
  data: {
    api: 'PutBlob',
    url: `https://account.blob.core.windows.net/import/${encodeURI(name)}`,
  },
});

describe.each(['memory', 'azurite'] as const)('the import function on %s', (storage) => {
  let service: Service | undefined;

  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });

  async function start(config = {}): Promise<Service> {
    service = await startService({ host: 'functions', storage, config });
    return service;
  }

  it('stores what an event names, once, and reports', async () => {
    const { baseUrl, services, log } = await start();
    const { blobs } = services.archive;
    const file = sampleInstance(uids);
    await blobs.put('import', 'Doe Jane/1.dcm', once(file));
    await deliver(eventOn('Doe Jane/1.dcm'));
    await deliver(eventOn('Doe Jane/1.dcm'));

    const { study, series, instance } = uids;
    const url = `${baseUrl}/studies/${study}/series/${series}/instances/${instance}`;
    const answer = await fetch(url, { headers: { Accept: 'application/dicom' } });
    expect(answer.status).toBe(200);
    expect(Buffer.from(await answer.arrayBuffer()).equals(file)).toBe(true);
    const changes = (await (await fetch(`${baseUrl}/changefeed`)).json()) as unknown[];
    expect(changes).toHaveLength(1);

    expect((await blobs.list('import')).blobs).toEqual([]);
    const reports = (await blobs.list('import-reports')).blobs;
    expect(reports.map(({ name }) => name)).toEqual(['Doe Jane/1.dcm.json']);
    const notices = log.filter(({ event }) => event === 'notice');
    expect(notices).toHaveLength(2);
    expect(JSON.stringify(log)).not.toContain('Doe');
  });

  it('takes the name from the URL of the event, decoded once, and tries no other', async () => {
    const { services } = await start();
    const { blobs } = services.archive;
    await blobs.put('import', 'a b.dcm', once(sampleInstance(uids)));
    await deliver(eventOn('a%20b.dcm'));
    expect((await blobs.list('import-reports')).blobs).toEqual([]);
    await deliver(eventOn('a b.dcm'));
    expect((await blobs.list('import-reports')).blobs.map(({ name }) => name)).toEqual([
      'a b.dcm.json',
    ]);
  });

  it('does not touch an archived file that a message leads to', async () => {
    const { services } = await start({ partitions: true });
    const { blobs } = services.archive;
    await blobs.put('import', 'a', once(sampleInstance(uids)));
    await deliver(eventOn('a'));
    const archived = (await blobs.list('instances')).blobs;
    expect(archived).toHaveLength(1);
    const reports = (await blobs.list('import-reports')).blobs;
    const target = `instances/${archived[0]?.name}`;
    const paths = [
      `../${target}`,
      `%2e%2e/${target}`,
      `%252e%252e/${target}`,
      `x/../../${target}`,
      `partitions/a/../../../${target}`,
      `..\\${target.replaceAll('/', '\\')}`,
      `..%2f${target.replaceAll('/', '%2f')}`,
    ];
    for (const path of paths) {
      await expect(deliver(path)).rejects.toThrow(/name/);
      await expect(deliver(eventOn(path))).rejects.toThrow(/name/);
      const url = `https://account.blob.core.windows.net/import/${path}`;
      await deliver({ ...eventOn('b'), data: { api: 'PutBlob', url } }).catch(() => undefined);
      await expect(importFile(services, path)).rejects.toThrow(RangeError);
    }
    expect((await blobs.list('instances')).blobs).toEqual(archived);
    expect((await blobs.list('import-reports')).blobs).toEqual(reports);
    expect((await blobs.list('import-refused')).blobs).toEqual([]);
  });

  it('keeps files when the setting says so', async () => {
    const { services } = await start({ importKeepsFiles: true });
    const { blobs } = services.archive;
    await blobs.put('import', 'a', once(sampleInstance(uids)));
    await deliver('a');
    expect((await blobs.list('import')).blobs).toHaveLength(1);
  });

  it('passes over events of other containers', async () => {
    const { services, log } = await start();
    await deliver({
      ...eventOn('a'),
      subject: '/blobServices/default/containers/import-reports/blobs/a.json',
    });
    expect(log).toMatchObject([{ event: 'notice' }]);
    expect((await services.archive.blobs.list('import-reports')).blobs).toEqual([]);
  });

  it('fails on a message that makes no sense, so that it is set aside', async () => {
    const { log } = await start();
    await expect(deliver({ what: 'else' })).rejects.toThrow(/neither an event/);
    expect(log).toMatchObject([{ event: 'fault', route: 'import' }]);
  });
});
