/** Direct uploads end to end: a grant, a blob client that writes it, an import, an answer as of a store. */
import { Readable } from 'node:stream';
import { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { afterEach, describe, expect, it } from '@jest/globals';
import { grantsOf } from '../../../src/auth/roles.js';
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import { sweepUploads } from '../../../src/dicomweb/uploads/sweep-uploads.js';
import { freshUids, pathOf, sopClass, valueOf, type Json } from '../../support/conformance.js';
import { sampleInstance } from '../../support/part10-builder.js';
import { hosts, startService, type Service, type ServiceOptions } from '../../support/service.js';

interface Upload {
  readonly id: string;
  readonly status: string;
  readonly expires: string;
  readonly uploadUrl: string;
  readonly uploadHeaders: Readonly<Record<string, string>>;
  readonly statusUrl: string;
  readonly mostBytes: number;
  readonly result?: Json;
}

let service: Service | undefined;

afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function start(options: Partial<ServiceOptions> = {}): Promise<Service> {
  service = await startService({ host: 'local', ...options });
  return service;
}

async function grant(base: string): Promise<Upload> {
  const answer = await fetch(`${base}/uploads`, { method: 'POST' });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  const upload = (await answer.json()) as Upload;
  expect(answer.headers.get('location')).toBe(upload.statusUrl);
  return upload;
}

async function read(url: string): Promise<Upload> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Upload;
}

async function complete({ statusUrl }: Upload) {
  const answer = await fetch(statusUrl, {
    method: 'POST',
    headers: { Accept: 'application/dicom+json' },
  });
  return { status: answer.status, body: (await answer.json()) as Json };
}

const itemsOf = (dataSet: Json | undefined, tag: string) =>
  (dataSet?.[tag]?.Value ?? []) as readonly Json[];

describe.each(hosts)('direct uploads on Azurite, host %s', (host) => {
  it('take a file in blocks from a blob client, store it and answer as a store does', async () => {
    const { baseUrl } = await start({ host, storage: 'azurite' });
    const upload = await grant(baseUrl);
    expect(await read(upload.statusUrl)).toMatchObject({ id: upload.id, status: 'waiting' });
    expect(await complete(upload)).toMatchObject({ status: 409 });

    const uids = freshUids();
    const file = sampleInstance(uids);
    const client = new BlockBlobClient(upload.uploadUrl);
    await client.uploadStream(Readable.from([file.subarray(0, 300), file.subarray(300)]), 256, 2);
    expect(await read(upload.statusUrl)).toMatchObject({ status: 'importing' });

    const { status, body } = await complete(upload);
    expect(status).toBe(200);
    const [item] = itemsOf(body, '00081199');
    expect(valueOf(item, '00081155')).toBe(uids.instance);
    expect(valueOf(item, '00081190')).toBe(baseUrl + pathOf(uids));
    const state = await read(upload.statusUrl);
    expect(state).toMatchObject({ status: 'stored', bytes: file.length, result: body });
    expect((await complete(upload)).body).toEqual(body);

    const stored = await fetch(baseUrl + pathOf(uids), {
      headers: { Accept: 'application/dicom' },
    });
    expect(Buffer.from(await stored.arrayBuffer()).equals(file)).toBe(true);
  });

  it('take a whole file in one PUT, and say why it is refused', async () => {
    const { baseUrl, services } = await start({ host, storage: 'azurite' });
    const upload = await grant(baseUrl);
    const put = await fetch(upload.uploadUrl, {
      method: 'PUT',
      headers: upload.uploadHeaders,
      body: 'This is not DICOM.',
    });
    expect(put.status).toBe(201);
    const { status, body } = await complete(upload);
    expect(status).toBe(409);
    expect(valueOf(itemsOf(body, '00081198')[0], '00081197')).toBe(0xc000);
    expect(await read(upload.statusUrl)).toMatchObject({ status: 'refused', result: body });
    expect((await services.archive.blobs.list('import')).blobs).toEqual([]);
  });

  it('give leave to write that one blob, and for nothing else', async () => {
    const { baseUrl } = await start({ host, storage: 'azurite' });
    const upload = await grant(baseUrl);
    const client = new BlockBlobClient(upload.uploadUrl);
    await client.upload('x', 1);
    const denied = { statusCode: 403 };
    await expect(client.download()).rejects.toMatchObject(denied);
    await expect(client.delete()).rejects.toMatchObject(denied);
    const url = new URL(upload.uploadUrl);
    expect(Date.parse(url.searchParams.get('se') ?? '')).toBeLessThanOrEqual(
      Date.now() + 3_600_000,
    );
    expect(url.searchParams.get('sp')).toBe('cw');
    const other = new URL(upload.uploadUrl);
    const otherId = `${upload.id.startsWith('0') ? '1' : '0'}${upload.id.slice(1)}`;
    other.pathname = other.pathname.replace(upload.id, otherId);
    await expect(new BlockBlobClient(other.href).upload('x', 1)).rejects.toMatchObject(denied);
    const container = new URL(upload.uploadUrl);
    container.pathname = container.pathname.replace(/\/direct-uploads.*/, '');
    const list = new ContainerClient(container.href).listBlobsFlat().next();
    await expect(list).rejects.toMatchObject(denied);
  });
});

describe('direct uploads', () => {
  const putFile = async (from: Service, upload: Upload, bytes: Uint8Array, partition: string) =>
    await from.services.archive.blobs.put(
      'import',
      `direct-uploads/${partition}/${upload.id}`,
      Readable.from([bytes]),
    );

  it('are imported by the event as well, into the partition of the grant', async () => {
    const running = await start({ config: { partitions: true } });
    const north = `${running.baseUrl}/partitions/north`;
    const upload = await grant(north);
    const uids = freshUids();
    await putFile(running, upload, sampleInstance(uids), 'north');
    const name = `direct-uploads/north/${upload.id}`;
    // What stays when the setting says so are files of others.
    await importFile(running.services, name, { keepFiles: true });
    expect((await running.services.archive.blobs.list('import')).blobs).toEqual([]);

    const state = await read(`${north}/uploads/${upload.id}`);
    expect(state.status).toBe('stored');
    const [item] = itemsOf(state.result, '00081199');
    expect(valueOf(item, '00081150')).toBe(sopClass);
    expect(valueOf(item, '00081190')).toBe(north + pathOf(uids));
    const answers = await Promise.all(
      [north, running.baseUrl].map(async (base) => await fetch(`${base}${pathOf(uids)}/metadata`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 404]);
  });

  it('are found in their own partition only', async () => {
    const { baseUrl } = await start({ config: { partitions: true } });
    const { id } = await grant(`${baseUrl}/partitions/north`);
    for (const method of ['GET', 'POST']) {
      for (const base of [baseUrl, `${baseUrl}/partitions/south`]) {
        const answer = await fetch(`${base}/uploads/${id}`, { method });
        expect(answer.status).toBe(404);
        expect(await answer.json()).toMatchObject({ code: 'upload-not-found' });
      }
    }
  });

  it('are for those who may write, in the partition where they may', async () => {
    const access = async () =>
      await Promise.resolve({ grants: grantsOf(['Dicom.Write.north', 'Dicom.Read'], []) });
    const { baseUrl } = await start({ config: { partitions: true }, access });
    const { id } = await grant(`${baseUrl}/partitions/north`);
    for (const [method, path] of [
      ['POST', '/uploads'],
      ['POST', '/partitions/south/uploads'],
      ['GET', `/partitions/south/uploads/${id}`],
      ['GET', `/uploads/${id}`],
    ] as const) {
      expect((await fetch(baseUrl + path, { method })).status).toBe(403);
    }
  });

  it.each(['01ARZ3NDEKTSV4RRFFQ69G5FAV', 'x', '%252e%252e', '..%2f..%2finstances'])(
    'know nothing of the id %s',
    async (id) => {
      const { baseUrl } = await start();
      for (const method of ['GET', 'POST']) {
        expect((await fetch(`${baseUrl}/uploads/${id}`, { method })).status).toBe(404);
      }
    },
  );

  it('are expired when nothing was written in time', async () => {
    const running = await start({ limits: { uploadMinutes: 0 } });
    const upload = await grant(running.baseUrl);
    expect(await read(upload.statusUrl)).toMatchObject({ status: 'expired' });
    await putFile(running, upload, sampleInstance(freshUids()), 'Microsoft.Default');
    expect(await read(upload.statusUrl)).toMatchObject({ status: 'importing' });
  });

  it('call a file that is too large out of resources', async () => {
    const running = await start({ limits: { instanceBytes: 100 } });
    const upload = await grant(running.baseUrl);
    expect(upload.mostBytes).toBe(100);
    await putFile(running, upload, sampleInstance(freshUids()), 'Microsoft.Default');
    const { status, body } = await complete(upload);
    expect(status).toBe(409);
    expect(valueOf(itemsOf(body, '00081198')[0], '00081197')).toBe(0xa700);
  });

  it('answer in the words of the version', async () => {
    const running = await start();
    const upload = await grant(`${running.baseUrl}/v2`);
    expect(upload.statusUrl).toBe(`${running.baseUrl}/v2/uploads/${upload.id}`);
    await putFile(running, upload, Buffer.from('no'), 'Microsoft.Default');
    const { body } = await complete(upload);
    expect(valueOf(itemsOf(body, '00081198')[0], '00081197')).toBe(43264);
  });

  it('take no body: the file goes elsewhere', async () => {
    const { baseUrl } = await start();
    const answer = await fetch(`${baseUrl}/uploads`, { method: 'POST', body: 'DICM' });
    expect(answer.status).toBe(415);
  });

  it('are not there on storage that cannot sign', async () => {
    const running = await start();
    const services = { ...running.services, uploads: undefined };
    await running.stop();
    const { baseUrl } = await start({ services: async () => await Promise.resolve(services) });
    const answer = await fetch(`${baseUrl}/uploads`, { method: 'POST' });
    expect(answer.status).toBe(501);
    expect(await answer.json()).toMatchObject({ code: 'uploads-unavailable' });
  });

  it('are forgotten after a week, their files are not', async () => {
    const running = await start();
    const { blobs } = running.services.archive;
    const [old, other] = [await grant(running.baseUrl), await grant(running.baseUrl)];
    await putFile(running, old, sampleInstance(freshUids()), 'Microsoft.Default');
    await complete(old);
    await putFile(running, other, sampleInstance(freshUids()), 'Microsoft.Default');
    await blobs.put('import-reports', 'direct-uploads/mine.json', Readable.from([Buffer.of(1)]));
    const day = 24 * 60 * 60_000;
    expect(await sweepUploads(running.services, Date.now() + 6 * day)).toBe(0);
    expect(await sweepUploads(running.services, Date.now() + 8 * day)).toBe(3);
    expect((await blobs.list('import-reports')).blobs).toHaveLength(1);
    expect((await blobs.list('import')).blobs).toHaveLength(1);
    expect((await fetch(old.statusUrl)).status).toBe(404);
  });
});
