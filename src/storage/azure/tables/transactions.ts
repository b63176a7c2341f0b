/**
 * Transactions of a table as batches of HTTP requests in one body, as the tables SDK writes them. By itself the SDK makes
 * a client with a pipeline for each transaction and a request for each of its operations, and sends every delete with
 * `If-Match: *`, whatever it is told.
 */
import { randomUUID } from 'node:crypto';
import {
  createHttpHeaders,
  createPipelineRequest,
  RestError,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import type { TableClient } from '@azure/data-tables';
import { ServiceError } from '../../../errors.js';
import { isInt32 } from '../../table-limits.js';
import type { Properties, TableOperation } from '../../table-store.js';
import { addressOf, rowUrl, sendBy } from './table-calls.js';

const lineEnd = '\r\n';

/** An upsert and a replace differ by their guard alone. */
const put = {
  method: 'PUT',
  lines: ['Content-Type: application/json', 'DataServiceVersion: 3.0', 'Accept: application/json'],
} as const;

/** The heads of operations, less URL and guard. */
const heads = {
  insert: {
    method: 'POST',
    lines: [
      'Content-Type: application/json;odata=nometadata',
      'Accept: application/json;odata=minimalmetadata',
      'DataServiceVersion: 3.0',
      'Prefer: return-no-content',
    ],
  },
  upsert: put,
  replace: put,
  delete: {
    method: 'DELETE',
    lines: ['Accept: application/json;odata=minimalmetadata', 'DataServiceVersion: 3.0'],
  },
} as const;

/** A row as JSON; what JSON cannot tell says its type. */
function rowText(partitionKey: string, rowKey: string, properties: Properties): string {
  const row: Record<string, string | number | boolean> = {
    PartitionKey: partitionKey,
    RowKey: rowKey,
  };
  const typed = (name: string, value: string | number, type: string) => {
    row[name] = value;
    row[`${name}@odata.type`] = type;
  };
  for (const [name, value] of Object.entries(properties)) {
    if (value instanceof Uint8Array) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      typed(name, bytes.toString('base64'), 'Edm.Binary');
    } else if (typeof value === 'bigint') typed(name, value.toString(), 'Edm.Int64');
    else if (typeof value === 'number' && !isInt32(value)) typed(name, value, 'Edm.Double');
    else row[name] = value;
  }
  return JSON.stringify(row);
}

function guardOf(operation: TableOperation): string | undefined {
  switch (operation.kind) {
    case 'replace':
      return operation.etag;
    case 'delete':
      return operation.etag ?? '*';
    default:
      return undefined;
  }
}

/** An operation as a request, up to the end of its body. */
function requestText(tableUrl: string, partitionKey: string, operation: TableOperation): string {
  const { kind, rowKey } = operation;
  const { method, lines } = heads[kind];
  const guard = guardOf(operation);
  const body = kind === 'delete' ? '' : rowText(partitionKey, rowKey, operation.properties);
  return [
    `${method} ${kind === 'insert' ? tableUrl : rowUrl(tableUrl, partitionKey, rowKey)} HTTP/1.1`,
    ...lines,
    ...(guard === undefined ? [] : [`If-Match: ${guard}`]),
    '',
    ...(body === '' ? [''] : ['', body]),
  ].join(lineEnd);
}

/** The body of a batch with one change set. */
function bodyOf(
  boundary: string,
  tableUrl: string,
  partitionKey: string,
  operations: readonly TableOperation[],
): string {
  const changes = `changeset_${randomUUID()}`;
  const parts = operations.map((operation) =>
    [
      `--${changes}`,
      'content-type: application/http',
      'content-transfer-encoding: binary',
      '',
      requestText(tableUrl, partitionKey, operation),
    ].join(lineEnd),
  );
  return [
    `--${boundary}`,
    `content-type: multipart/mixed; boundary=${changes}`,
    '',
    '',
    ...parts,
    `--${changes}--`,
    `--${boundary}--`,
    '',
  ].join(lineEnd);
}

/** What a refusal says: `{"odata.error":{"code":…,"message":{"value":…}}}`. */
function refusalOf(text: string): { readonly code?: string; readonly message: string } {
  const code = /"code"\s*:\s*"(\w+)"/.exec(text)?.[1];
  const quotedMessage = /"value"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(text)?.[1];
  const message =
    quotedMessage === undefined ? 'It was refused' : String(JSON.parse(quotedMessage));
  return { ...(code !== undefined && { code }), message };
}

function refused(response: PipelineResponse, statusCode: number, text: string): RestError {
  const { code, message } = refusalOf(text);
  const { request } = response;
  return new RestError(message, {
    ...(code !== undefined && { code }),
    statusCode,
    request,
    response,
  });
}

/** The answers to the operations, without head and end of the change set. @throws RestError for a refusal. */
function etagsOf(response: PipelineResponse): readonly (string | undefined)[] {
  const { status, bodyAsText } = response;
  const text = bodyAsText ?? '';
  if (status < 200 || status >= 300) throw refused(response, status, text);
  return text
    .split('--changesetresponse_')
    .slice(1, -1)
    .map((part) => {
      const partStatus = Number(/HTTP\/1\.1 (\d{3})/.exec(part)?.[1]);
      // Without one it is not known whether anything was done.
      if (Number.isNaN(partStatus)) {
        throw new ServiceError('storage-unavailable', 'The answer to a transaction has no status');
      }
      if (partStatus >= 300) throw refused(response, partStatus, part);
      return /^ETag: (.*)$/im.exec(part)?.[1]?.trim();
    });
}

/**
 * Carries out operations on rows of one partition, all or none, in one call.
 *
 * @returns the ETags of the rows, in order; none of those that were deleted.
 * @throws RestError with the status and code of the operation that was refused, whose index its message begins with;
 *   ServiceError `storage-unavailable` when the answer is not whole.
 */
export async function submitTransaction(
  client: TableClient,
  partitionKey: string,
  operations: readonly TableOperation[],
): Promise<readonly (string | undefined)[]> {
  const { endpoint, signature } = addressOf(client);
  const boundary = `batch_${randomUUID()}`;
  const request = createPipelineRequest({
    url: `${endpoint}/$batch${signature === '' ? '' : `?${signature}`}`,
    method: 'POST',
    body: bodyOf(boundary, `${endpoint}/${client.tableName}`, partitionKey, operations),
    headers: createHttpHeaders({
      accept: 'application/json',
      'x-ms-version': '2019-02-02',
      DataServiceVersion: '3.0;',
      MaxDataServiceVersion: '3.0;NetFx',
      'Content-Type': `multipart/mixed; boundary=${boundary}`,
      'Accept-Charset': 'UTF-8',
    }),
    // Of Azurite; a token is never sent without TLS.
    allowInsecureConnection: true,
  });
  const etags = etagsOf(await sendBy(client, request));
  if (etags.length !== operations.length) {
    throw new ServiceError('storage-unavailable', 'The answer to a transaction was not whole');
  }
  return etags.map((etag, index) => (operations[index]?.kind === 'delete' ? undefined : etag));
}
