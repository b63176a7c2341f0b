import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { connectStorage } from '../../src/storage/azure/connect.js';
import { mostSockets } from '../../src/storage/azure/kept-sockets.js';
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
/** By itself, as a batch, and as a batch of one. */
const shapes = [
  ['log', 1],
  ['log', 2],
  ['searchindex', 1],
] as const;
const unavailable = { name: 'ServiceError', code: 'storage-unavailable' };

describe('AzureTableStore, when the service fails', () => {
  it.each([
    ['a reset connection', reset],
    ['an internal error', status(500)],
    ['a time-out of the service', status(504)],
  ])('sends no transaction a second time after %s', async (_, answer) => {
    for (const [table, count] of shapes) {
      const { tables, requests } = await account(answer);
      const outcome = tables.transact(table, 'p', operations.slice(0, count));
      await expect(outcome).rejects.toMatchObject(unavailable);
      expect(requests).toHaveLength(1);
    }
  });

  it.each([429, 503])(
    'sends a transaction again after %d, which promises that nothing was done',
    async (code) => {
      for (const [table, count] of shapes) {
        const { tables, requests } = await account(status(code, { 'retry-after': '0' }));
        const outcome = tables.transact(table, 'p', operations.slice(0, count));
        await expect(outcome).rejects.toMatchObject({
          ...unavailable,
          facts: { retryAfterSeconds: 0 },
        });
        expect(requests).toHaveLength(4);
      }
    },
  );

  const row = JSON.stringify({
    'odata.etag': 'W/"1"',
    PartitionKey: 'p',
    RowKey: 'r',
    a: '}\r\n--',
  });
  /** As Azure answers a batch with a query in it: without a change set. */
  const batchAnswer = (head: string, json: string) =>
    [
      '--batchresponse_1',
      'Content-Type: application/http',
      'Content-Transfer-Encoding: binary',
      '',
      `HTTP/1.1 ${head}`,
      'Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8',
      '',
      json,
      '--batchresponse_1--',
      '',
    ].join('\r\n');

  it.each([
    ['log', 'GET', 200, 'application/json', row],
    ['searchindex', 'POST', 202, 'multipart/mixed', batchAnswer('200 OK', row)],
  ] as const)(
    'sends a read of table %s again until it is answered',
    async (table, method, code, type, body) => {
      const answers = [
        reset,
        status(500, { 'retry-after': '0' }),
        status(503, { 'retry-after': '0' }),
      ];
      const { tables, requests } = await account((request, response) => {
        const fail = answers.shift();
        if (fail !== undefined) fail(request, response);
        else response.writeHead(code, { 'Content-Type': type }).end(body);
      });
      expect(await tables.get(table, 'p', 'r')).toMatchObject({
        rowKey: 'r',
        etag: 'W/"1"',
        properties: { a: '}\r\n--' },
      });
      expect(requests).toEqual([method, method, method, method]);
    },
  );

  it.each([
    ['a busy server', '503 Server Busy', 'ServerBusy', 4],
    ['a time-out', '500 Operation Timed Out', 'OperationTimedOut', 4],
    ['a refusal', '403 Forbidden', 'AuthorizationFailure', 1],
    ['no such table', '404 Not Found', 'TableNotFound', 1],
  ])('takes %s within the answer to a batch for what it is', async (_, head, code, sendings) => {
    const error = JSON.stringify({ 'odata.error': { code, message: { value: '' } } });
    const { tables, requests } = await account((_request, response) => {
      response.writeHead(202, { 'Content-Type': 'multipart/mixed', 'Retry-After': '0' });
      response.end(batchAnswer(head, error));
    });
    const outcome = tables.get('searchindex', 'p', 'r');
    if (sendings === 1)
      await expect(outcome).rejects.toThrow(`answered ${head.slice(0, 3)} ${code}`);
    else await expect(outcome).rejects.toMatchObject(unavailable);
    expect(requests).toHaveLength(sendings);
  });

  it('finds no row where the answer to a batch says that there is none', async () => {
    const error = JSON.stringify({ 'odata.error': { code: 'ResourceNotFound', message: {} } });
    const { tables } = await account((_request, response) => {
      response.writeHead(202, { 'Content-Type': 'multipart/mixed' });
      response.end(batchAnswer('404 Not Found', error));
    });
    expect(await tables.get('searchindex', 'p', 'r')).toBeUndefined();
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
      timestamp: Date.parse('2026-01-02T03:04:05.123Z'),
      properties: { a: 1 },
    });
  });
});

describe('AzureTableStore, on connections that have been idle', () => {
  const created = status(201, { etag: 'W/"1"' });
  const refusal = (response: ServerResponse) => {
    response.writeHead(409, { 'Content-Type': 'application/json' });
    const message = { lang: 'en', value: 'x' };
    response.end(JSON.stringify({ 'odata.error': { code: 'EntityAlreadyExists', message } }));
  };
  const row = (response: ServerResponse, properties: object) => {
    response.setHeader('Content-Type', 'application/json');
    const keys = { 'odata.etag': 'W/"7"', PartitionKey: 'p', RowKey: 'a' };
    response.end(JSON.stringify({ ...keys, ...properties }));
  };
  const insert: TableOperation[] = [
    { kind: 'insert', rowKey: 'a', properties: { n: 1.5, bytes: Buffer.of(1, 2) } },
  ];
  const written = { n: 1.5, bytes: 'AQI=', 'bytes@odata.type': 'Edm.Binary' };

  /** An account, with several connections open, all of which are reset when they are used again. */
  async function closedAccount(
    answer: Parameters<typeof account>[0],
    onReset: () => void = () => undefined,
  ) {
    let idle = new WeakSet<Socket>();
    const used = new Set<Socket>();
    let isWarm = false;
    const waiting: ServerResponse[] = [];
    const made = await account((request, response) => {
      if (idle.has(request.socket)) {
        onReset();
        reset(request, response);
        return;
      }
      if (isWarm) {
        answer(request, response);
        return;
      }
      used.add(request.socket);
      waiting.push(response);
      if (waiting.length === 5) for (const one of waiting) created(request, one);
    });
    const warming = Array.from({ length: 5 }, () => made.tables.transact('log', 'p', insert));
    await Promise.all(warming);
    idle = new WeakSet(used);
    expect(used.size).toBe(5);
    isWarm = true;
    made.requests.length = 0;
    return made;
  }

  it('sends a write again when the connection had been closed', async () => {
    const { tables, requests } = await closedAccount(created);
    const outcome = await tables.transact('log', 'p', insert);
    expect(outcome).toEqual({ committed: true, etags: ['W/"1"'] });
    // The others are as old, and are not tried.
    expect(requests).toEqual(['POST', 'POST']);
  });

  it('does not send it again when the new connection is reset as well', async () => {
    const { tables, requests } = await closedAccount(reset);
    await expect(tables.transact('log', 'p', insert)).rejects.toMatchObject(unavailable);
    expect(requests).toEqual(['POST', 'POST']);
  });

  it('does not send a write again when it is late: leases count on its end', async () => {
    let late = 0;
    const now = performance.now.bind(performance);
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + late);
    try {
      const { tables, requests } = await closedAccount(created, () => {
        // A sixth of what the account has for a call.
        late = 10_000 / 6;
      });
      await expect(tables.transact('log', 'p', insert)).rejects.toMatchObject(unavailable);
      expect(requests).toEqual(['POST']);
    } finally {
      clock.mockRestore();
    }
  });

  it('knows a row that the first of the two had written', async () => {
    const { tables, requests } = await closedAccount((request, response) => {
      if (request.method === 'GET') row(response, written);
      else refusal(response);
    });
    const outcome = await tables.transact('log', 'p', insert);
    expect(outcome).toEqual({ committed: true, etags: ['W/"7"'] });
    expect(requests).toEqual(['POST', 'POST', 'GET']);
  });

  it.each([
    ['another number', { ...written, n: 1 }],
    ['other bytes', { ...written, bytes: 'AQM=' }],
    ['a property more', { ...written, m: 1 }],
    ['a property less', { n: 1.5 }],
  ])('claims no row with %s', async (_, properties) => {
    const { tables } = await closedAccount((request, response) => {
      if (request.method === 'GET') row(response, properties);
      else refusal(response);
    });
    await expect(tables.transact('log', 'p', insert)).rejects.toMatchObject(unavailable);
  });

  it('claims no delete, of which nothing tells who did it', async () => {
    const { tables, requests } = await closedAccount(status(404));
    const outcome = tables.transact('log', 'p', [{ kind: 'delete', rowKey: 'a' }]);
    await expect(outcome).rejects.toMatchObject(unavailable);
    expect(requests).toEqual(['DELETE', 'DELETE']);
  });

  it('sends a read and a blob again', async () => {
    const { tables, blobs } = await closedAccount((request, response) => {
      if (request.method === 'GET') row(response, written);
      else created(request, response);
    });
    expect(await tables.get('log', 'p', 'a')).toMatchObject({ etag: 'W/"7"' });
    expect(await blobs.put('instances', 'a', inChunks(Buffer.of(1), 1))).toEqual({ length: 1 });
  });

  it('closes them before the service says that it will', async () => {
    const closed = new Promise<boolean>((resolve) => {
      const answer = status(204, { connection: 'keep-alive', 'keep-alive': 'timeout=2' });
      account((request, response) => {
        request.socket.once('end', () => resolve(true));
        answer(request, response);
      })
        .then(async ({ tables }) => await tables.transact('log', 'p', insert))
        .catch(() => resolve(false));
    });
    expect(await closed).toBe(true);
  });

  it('opens no more than it may, and serves the rest in turn', async () => {
    const sockets = new Set<Socket>();
    const waiting: (() => void)[] = [];
    const { tables } = await account((request, response) => {
      sockets.add(request.socket);
      waiting.push(() => created(request, response));
      if (sockets.size === mostSockets.tables) for (const go of waiting.splice(0)) go();
    });
    const all = Array.from({ length: 3 * mostSockets.tables }, () =>
      tables.transact('log', 'p', insert),
    );
    const outcomes = await Promise.all(all);
    expect(outcomes.every(({ committed }) => committed)).toBe(true);
    expect(sockets.size).toBe(mostSockets.tables);
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
