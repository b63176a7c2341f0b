import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { connectStorage } from '../../src/storage/azure/connect.js';
import type { TableOperation } from '../../src/storage/table-store.js';
import { inChunks } from './contract/blob-store.contract.js';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A storage account that answers as told, and the requests it has had. */
async function account(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  timeoutMs = 10_000,
) {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.method ?? '');
    request.resume().once('end', () => {
      answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a`;
  const key = Buffer.from('key').toString('base64');
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${key};BlobEndpoint=${url};TableEndpoint=${url}`;
  return { requests, ...connectStorage({ connectionString }, { timeoutMs }) };
}

const status = (code: number, headers: Record<string, string> = {}) =>
  ((_, response) => {
    response.writeHead(code, headers).end();
  }) as Parameters<typeof account>[0];
const reset: Parameters<typeof account>[0] = (request) => request.socket.resetAndDestroy();
const silence: Parameters<typeof account>[0] = () => undefined;

const operations: TableOperation[] = ['a', 'b'].map((rowKey) => ({
  kind: 'insert',
  rowKey,
  properties: {},
}));
const unavailable = { name: 'ServiceError', code: 'storage-unavailable' };

describe('AzureTableStore, when the service fails', () => {
  it.each([
    ['a reset connection', reset],
    ['an internal error', status(500)],
    ['a time-out of the service', status(504)],
  ])('sends no transaction a second time after %s', async (_, answer) => {
    for (const count of [1, 2]) {
      const { tables, requests } = await account(answer);
      const outcome = tables.transact('log', 'p', operations.slice(0, count));
      await expect(outcome).rejects.toMatchObject(unavailable);
      expect(requests).toHaveLength(1);
    }
  });

  it.each([429, 503])(
    'sends a transaction again after %d, which promises that nothing was done',
    async (code) => {
      for (const count of [1, 2]) {
        const { tables, requests } = await account(status(code, { 'retry-after': '0' }));
        const outcome = tables.transact('log', 'p', operations.slice(0, count));
        await expect(outcome).rejects.toMatchObject({
          ...unavailable,
          facts: { retryAfterSeconds: 0 },
        });
        expect(requests).toHaveLength(4);
      }
    },
  );

  it('sends a read again until it is answered', async () => {
    const answers = [
      reset,
      status(500, { 'retry-after': '0' }),
      status(503, { 'retry-after': '0' }),
    ];
    const { tables, requests } = await account((request, response) => {
      const fail = answers.shift();
      if (fail !== undefined) fail(request, response);
      else {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ 'odata.etag': 'W/"1"', PartitionKey: 'p', RowKey: 'r' }));
      }
    });
    expect(await tables.get('log', 'p', 'r')).toMatchObject({ rowKey: 'r', etag: 'W/"1"' });
    expect(requests).toHaveLength(4);
  });

  it('passes on for how long to stay away, and does not wait that long', async () => {
    const { tables, requests } = await account(status(503, { 'retry-after': '120' }));
    await expect(tables.get('log', 'p', 'r')).rejects.toMatchObject({
      ...unavailable,
      facts: { retryAfterSeconds: 120 },
    });
    expect(requests).toHaveLength(1);
  });

  it('gives up on a service that stays silent', async () => {
    const { tables, requests } = await account(silence, 50);
    await expect(tables.transact('log', 'p', operations)).rejects.toMatchObject(unavailable);
    expect(requests).toHaveLength(1);
  });

  it('tells a refusal from a failure', async () => {
    const { tables } = await account(status(403));
    await expect(tables.get('log', 'p', 'r')).rejects.toThrow('Table log answered 403');
  });

  it('takes the time of the last write for the ETag when that is left out', async () => {
    const Timestamp = '2026-01-02T03:04:05.1234567Z';
    const { tables } = await account((_, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ PartitionKey: 'p', RowKey: 'r', Timestamp, a: 1, b: null }));
    });
    expect(await tables.get('log', 'p', 'r', { select: ['a', 'b'] })).toStrictEqual({
      partitionKey: 'p',
      rowKey: 'r',
      etag: `W/"datetime'2026-01-02T03%3A04%3A05.1234567Z'"`,
      properties: { a: 1 },
    });
  });
});

describe('AzureBlobStore, when the service fails', () => {
  it('puts a blob again until it is answered', async () => {
    const answers = [status(500), status(503)];
    const { blobs, requests } = await account((request, response) => {
      (answers.shift() ?? status(201))(request, response);
    });
    expect(await blobs.put('instances', 'a', inChunks(Buffer.of(1), 1))).toEqual({ length: 1 });
    expect(requests).toEqual(['PUT', 'PUT', 'PUT']);
  });

  it('gives up on a service that stays silent', async () => {
    const { blobs } = await account(silence, 50);
    await expect(blobs.get('instances', 'a')).rejects.toMatchObject(unavailable);
    const put = blobs.put('instances', 'a', inChunks(Buffer.of(1), 1));
    await expect(put).rejects.toMatchObject(unavailable);
  });
});
