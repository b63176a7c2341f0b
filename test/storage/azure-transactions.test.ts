import { describe, expect, it } from '@jest/globals';
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
} from '@azure/core-rest-pipeline';
import { TableClient, type TransactionAction } from '@azure/data-tables';
import fc from 'fast-check';
import { toAzure } from '../../src/storage/azure/tables/entity.js';
import { submitTransaction } from '../../src/storage/azure/tables/transactions.js';
import { codeOf, statusOf } from '../../src/storage/azure/translate-error.js';
import type { TableOperation } from '../../src/storage/table-store.js';

const lineEnd = '\r\n';
const partition = "1|2.25.7'é";

function textOf(body: PipelineRequest['body']): string {
  if (typeof body !== 'string') throw new Error('The body is no text');
  return body;
}

/** A client whose batches are answered as told, and what was sent. */
function clientOf(answer: (request: PipelineRequest) => readonly [status: number, text: string]) {
  const sent: PipelineRequest[] = [];
  const httpClient: HttpClient = {
    sendRequest: async (request) => {
      sent.push(request);
      const [status, bodyAsText] = answer(request);
      const type = /^[{<]/.test(bodyAsText) ? 'text/html' : 'multipart/mixed';
      const headers = createHttpHeaders({ 'Content-Type': type });
      return await Promise.resolve({ request, status, headers, bodyAsText });
    },
  };
  const open = (endpoint: string) => {
    const connection = `TableEndpoint=${endpoint};SharedAccessSignature=sv=2019-02-02&sig=a%2Bb`;
    const client = TableClient.fromConnectionString(connection, 'catalog', {
      httpClient,
      allowInsecureConnection: true,
    });
    // As in those that we open, the pipeline answers by itself.
    client.pipeline.addPolicy(
      { name: 'sender', sendRequest: (request) => httpClient.sendRequest(request) },
      { afterPhase: 'Sign' },
    );
    return client;
  };
  return { sent, client: open('http://127.0.0.1:10002/account') };
}

/** The answer to a batch (OData 3.0). */
function answerOf(parts: readonly string[]): string {
  const changes = parts.flatMap((part) => [
    '--changesetresponse_1',
    'Content-Type: application/http',
    'Content-Transfer-Encoding: binary',
    '',
    part,
    '',
  ]);
  return [
    '--batchresponse_1',
    'Content-Type: multipart/mixed; boundary=changesetresponse_1',
    '',
    ...changes,
    '--changesetresponse_1--',
    '--batchresponse_1--',
    '',
  ].join(lineEnd);
}

const done = (n: number) =>
  ['HTTP/1.1 204 No Content', `Content-ID: ${n}`, `ETag: W/"${n}"`, '', ''].join(lineEnd);
const allDone = ({ body }: PipelineRequest): readonly [number, string] => {
  const count = textOf(body).split(' HTTP/1.1').length - 1;
  return [202, answerOf(Array.from({ length: count }, (_, n) => done(n)))];
};
const refusal = (status: string, code: string, message: string) =>
  [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json',
    '',
    JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: message } } }),
  ].join(lineEnd);

const key = fc.stringMatching(/^[a-z0-9|'.é %&=+~"*()[\]-]{1,20}$/);
const properties = fc.dictionary(
  fc.stringMatching(/^[a-z][A-Za-z0-9_]{1,8}$/),
  fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array(),
  ),
  { maxKeys: 6 },
);
const etag = fc.integer({ min: 1 }).map((n) => `W/"${n}"`);
const operation: fc.Arbitrary<TableOperation> = fc.oneof(
  fc.record({ kind: fc.constant('insert' as const), rowKey: key, properties }),
  fc.record({ kind: fc.constant('upsert' as const), rowKey: key, properties }),
  fc.record({ kind: fc.constant('replace' as const), rowKey: key, properties, etag }),
  fc.record({ kind: fc.constant('delete' as const), rowKey: key }),
);

function actionOf(one: TableOperation): TransactionAction {
  if (one.kind === 'delete') return ['delete', { partitionKey: partition, rowKey: one.rowKey }];
  const entity = toAzure(partition, one.rowKey, one.properties);
  switch (one.kind) {
    case 'insert':
      return ['create', entity];
    case 'upsert':
      return ['upsert', entity, 'Replace'];
    case 'replace':
      return ['update', entity, 'Replace', { etag: one.etag }];
  }
}

/** What goes over the wire, less what is chosen anew each time. */
function wire({ url, method, headers, body }: PipelineRequest) {
  const own = ({ 'content-type': type = '' }: Record<string, string>) => type;
  const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
  return {
    url,
    method,
    type: own(headers.toJSON()).replace(uuid, 'id'),
    version: headers.get('x-ms-version'),
    service: headers.get('DataServiceVersion'),
    accept: headers.get('accept'),
    body: textOf(body).replace(uuid, 'id'),
  };
}

describe('submitTransaction', () => {
  it('sends what the SDK sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 5 }), async (operations) => {
        const { client, sent } = clientOf(allDone);
        await submitTransaction(client, partition, operations);
        await client.submitTransaction(operations.map(actionOf));
        const [ours, theirs] = sent.map(wire);
        expect(ours).toEqual(theirs);
      }),
    );
  });

  it('sends a delete with its guard, which the SDK leaves out, and tells the ETags of what was written', async () => {
    const { client, sent } = clientOf(allDone);
    const etags = await submitTransaction(client, partition, [
      { kind: 'insert', rowKey: 'a', properties: {} },
      { kind: 'delete', rowKey: 'b', etag: 'W/"7"' },
      { kind: 'delete', rowKey: 'c' },
      { kind: 'upsert', rowKey: 'd', properties: {} },
    ]);
    expect(etags).toEqual(['W/"0"', undefined, undefined, 'W/"3"']);
    const guards = [...textOf(sent[0]?.body).matchAll(/^If-Match: (.*)\r$/gm)];
    expect(guards.map(([, guard]) => guard)).toEqual(['W/"7"', '*']);
  });

  it.each([
    [409, 'EntityAlreadyExists', '1:The specified entity already exists.'],
    [412, 'UpdateConditionNotSatisfied', '0:The "condition" {was} not\nmet.'],
    [404, 'ResourceNotFound', '3:There is none.'],
    [503, 'ServerBusy', '0:Busy.'],
  ])('tells a refusal of one operation: %i %s', async (status, code, message) => {
    const { client } = clientOf(() => [202, answerOf([refusal(`${status} No`, code, message)])]);
    const operations = [{ kind: 'delete', rowKey: 'a' }] as const;
    const error: unknown = await submitTransaction(client, partition, operations).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: 'RestError', message });
    expect([statusOf(error), codeOf(error)]).toEqual([status, code]);
  });

  it('tells a refusal of the whole, whatever its body', async () => {
    const operations = [{ kind: 'delete', rowKey: 'a' }] as const;
    const code = 'AuthenticationFailed';
    const text = JSON.stringify({ 'odata.error': { code, message: { value: 'No.' } } });
    for (const [body, told] of [
      [text, code],
      ['<html>', ''],
    ] as const) {
      const { client } = clientOf(() => [403, body]);
      const error: unknown = await submitTransaction(client, partition, operations).catch(
        (thrown: unknown) => thrown,
      );
      expect([statusOf(error), codeOf(error)]).toEqual([403, told]);
    }
  });

  it.each([
    ['too short', answerOf([done(0)])],
    ['empty', ''],
    ['without a status', answerOf(['', ''])],
  ])('takes an answer that is %s for none', async (_, text) => {
    const { client } = clientOf(() => [202, text]);
    const operations = ['a', 'b'].map((rowKey) => ({ kind: 'delete', rowKey }) as const);
    await expect(submitTransaction(client, partition, operations)).rejects.toMatchObject({
      code: 'storage-unavailable',
    });
  });
});
