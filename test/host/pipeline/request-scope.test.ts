import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import {
  correlationHeaders,
  countStorageCall,
  newScope,
  storageMilliseconds,
  waitForStorage,
  withinScope,
  type RequestScope,
} from '../../../src/host/pipeline/request-scope.js';
import { connectStorage } from '../../../src/storage/azure/connect.js';

describe('withinScope', () => {
  it('ties calls to blobs and tables to the request that causes them, and counts them', async () => {
    const heard: IncomingHttpHeaders[] = [];
    const server = createServer((message, response) => {
      heard.push(message.headers);
      response.writeHead(404, { 'x-ms-error-code': 'BlobNotFound' }).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connectionString = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=${url}/a;TableEndpoint=${url}/a;`;
    const options = {
      onCall: countStorageCall,
      caller: { headers: correlationHeaders, waits: waitForStorage },
    };
    const { blobs, tables } = connectStorage({ connectionString }, options);
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const scopes: readonly RequestScope[] = [newScope('one', traceparent), newScope('two')];
    await Promise.all(
      scopes.map(async (scope) => {
        await withinScope(scope, async () => {
          await blobs.get('instances', 'file');
          await tables.get('catalog', 'partition', 'row').catch(() => undefined);
        });
      }),
    );
    const ofRequest = (id: string) =>
      heard.filter((headers) => headers['x-ms-client-request-id'] === id);
    expect(scopes.map(({ storageCalls }) => storageCalls)).toEqual([2, 2]);
    expect(scopes.map(storageMilliseconds).every((spent) => spent > 0)).toBe(true);
    expect(scopes.map(({ waiting }) => waiting.calls)).toEqual([0, 0]);
    expect(ofRequest('one').map((headers) => headers['traceparent'])).toEqual([
      traceparent,
      traceparent,
    ]);
    expect(ofRequest('two').map((headers) => headers['traceparent'])).toEqual([
      undefined,
      undefined,
    ]);
    expect(heard.map((headers) => headers['user-agent'])).toEqual(
      heard.map(() => 'dicomweb-functions'),
    );
    server.close();
    server.closeAllConnections();
  });

  it('leaves what no request causes alone', () => {
    countStorageCall();
    expect(correlationHeaders()).toEqual({});
  });
});
