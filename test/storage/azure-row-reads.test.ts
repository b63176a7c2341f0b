import { describe, expect, it } from '@jest/globals';
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
} from '@azure/core-rest-pipeline';
import { TableClient } from '@azure/data-tables';
import fc from 'fast-check';
import { readRow } from '../../src/storage/azure/tables/row-reads.js';
import { codeOf, statusOf } from '../../src/storage/azure/translate-error.js';

/** A client whose calls are answered so, and what was sent. */
function clientOf(status: number, bodyAsText: string) {
  const sent: PipelineRequest[] = [];
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      sent.push(request);
      const headers = createHttpHeaders({ 'Content-Type': 'application/json' });
      return await Promise.resolve({ request, status, headers, bodyAsText });
    },
  };
  const connection =
    'TableEndpoint=http://127.0.0.1:10002/account;SharedAccessSignature=sv=2019-02-02&sig=a%2Bb';
  const client = TableClient.fromConnectionString(connection, 'catalog', {
    httpClient,
    allowInsecureConnection: true,
  });
  client.pipeline.removePolicy({ phase: 'Retry' });
  // As in those that we open, the pipeline answers by itself.
  client.pipeline.addPolicy(
    { name: 'sender', sendRequest: (request) => httpClient.sendRequest(request) },
    { afterPhase: 'Sign' },
  );
  return { sent, client };
}

const key = fc.stringMatching(/^[a-z0-9|'.é %&=+~"*()[\]-]{1,20}$/);
const name = fc.stringMatching(/^[a-z][A-Za-z0-9_]{1,8}$/);
const typed = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((value) => ({ value })),
  fc.boolean().map((value) => ({ value })),
  fc.integer().map((value) => ({ value })),
  fc.constant({ value: null }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ value, type: 'Double' })),
  fc.bigInt().map((value) => ({ value: String(value), type: 'Int64' })),
  fc.base64String().map((value) => ({ value, type: 'Binary' })),
);

function jsonOf(properties: Readonly<Record<string, { value: unknown; type?: string }>>): string {
  const row: Record<string, unknown> = {
    'odata.metadata': 'http://127.0.0.1:10002/account/$metadata#catalog/@Element',
    'odata.etag': 'W/"1"',
    PartitionKey: 'p',
    RowKey: 'r',
    Timestamp: '2026-01-02T03:04:05.1234567Z',
  };
  for (const [property, { value, type }] of Object.entries(properties)) {
    row[property] = value;
    if (type !== undefined) row[`${property}@odata.type`] = `Edm.${type}`;
  }
  return JSON.stringify(row);
}

function wire({ url, method, headers }: PipelineRequest) {
  const { accept, dataserviceversion, 'x-ms-version': version } = headers.toJSON();
  return { url, method, accept, dataserviceversion, version };
}

describe('readRow', () => {
  it('sends what the SDK sends, and makes of the answer what the SDK makes of it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          keys: fc.tuple(key, key),
          select: fc.option(fc.array(name, { minLength: 1, maxLength: 3 }), { nil: undefined }),
          properties: fc.dictionary(name, typed, { maxKeys: 6 }),
        }),
        async ({ keys: [partitionKey, rowKey], select, properties }) => {
          const { client, sent } = clientOf(200, jsonOf(properties));
          const ours = await readRow(client, partitionKey, rowKey, select ? { select } : {});
          const theirs = await client.getEntity(partitionKey, rowKey, {
            queryOptions: select ? { select } : {},
          });
          expect(ours).toEqual({ ...theirs });
          const [first, second] = sent.map(wire);
          const parametersOf = (url = '') => [...new URL(url).searchParams].sort();
          expect(parametersOf(first?.url)).toEqual(parametersOf(second?.url));
          expect({ ...first, url: first?.url.split('?')[0] }).toEqual({
            ...second,
            url: second?.url.split('?')[0],
          });
        },
      ),
    );
  });

  it.each([
    [404, 'ResourceNotFound'],
    [404, 'TableNotFound'],
    [403, 'AuthorizationFailure'],
  ])('tells an answer without a row: %i %s', async (status, code) => {
    const text = JSON.stringify({ 'odata.error': { code, message: { lang: '', value: 'No.' } } });
    const { client } = clientOf(status, text);
    const error: unknown = await readRow(client, 'p', 'r', {}).catch((thrown: unknown) => thrown);
    expect([statusOf(error), codeOf(error)]).toEqual([status, code]);
  });

  it.each(['DateTime', 'Guid'])(
    'refuses a property of a type that we never write: %s',
    async (type) => {
      const { client } = clientOf(200, jsonOf({ a: { value: '2026-01-02T03:04:05Z', type } }));
      await expect(readRow(client, 'p', 'r', {})).rejects.toMatchObject({
        code: 'storage-corrupt',
      });
    },
  );
});
