/** Point reads of rows, as the tables SDK sends them, without the models by which it makes and reads each call. */
import { createHttpHeaders, createPipelineRequest, RestError } from '@azure/core-rest-pipeline';
import type { PipelineResponse } from '@azure/core-rest-pipeline';
import type { TableClient } from '@azure/data-tables';
import { ServiceError } from '../../../errors.js';
import { addressOf, rowUrl, sendBy } from './table-calls.js';

/** As the SDK makes of the JSON of a row. */
type RowAsRead = Readonly<Record<string, unknown>>;

const names: Readonly<Record<string, string>> = {
  PartitionKey: 'partitionKey',
  RowKey: 'rowKey',
  'odata.etag': 'etag',
  Timestamp: 'timestamp',
};
const typeSuffix = '@odata.type';

function decoded(value: unknown, type: unknown): unknown {
  switch (type) {
    case 'Edm.Binary':
      return Buffer.from(String(value), 'base64');
    case 'Edm.Int64':
      return BigInt(String(value));
    case 'Edm.DateTime':
    case 'Edm.Guid':
      throw new ServiceError('storage-corrupt', 'A row holds a property of an unknown type');
    default:
      return value;
  }
}

function isObject(value: unknown): value is RowAsRead {
  return typeof value === 'object' && value !== null;
}

/** The step of the SDK that reads JSON has done so where it knew it. */
function jsonOf(response: PipelineResponse): RowAsRead {
  const json: unknown =
    'parsedBody' in response ? response.parsedBody : JSON.parse(response.bodyAsText ?? '');
  if (!isObject(json)) throw new ServiceError('storage-unavailable', 'A row came without its JSON');
  return json;
}

/**
 * Reads a row.
 *
 * @param select names of properties, those of the service included; all when left out.
 * @throws RestError with the status of an answer that has no row.
 */
export async function readRow(
  client: TableClient,
  partitionKey: string,
  rowKey: string,
  { select, signal }: { readonly select?: readonly string[]; readonly signal?: AbortSignal },
): Promise<RowAsRead> {
  const { endpoint, signature } = addressOf(client);
  const query = [
    ...(select === undefined ? [] : [`$select=${encodeURIComponent(select.join(','))}`]),
    ...(signature === '' ? [] : [signature]),
  ].join('&');
  const url = rowUrl(`${endpoint}/${client.tableName}`, partitionKey, rowKey);
  const request = createPipelineRequest({
    url: query === '' ? url : `${url}?${query}`,
    headers: createHttpHeaders({
      Accept: 'application/json;odata=minimalmetadata',
      'x-ms-version': '2019-02-02',
      DataServiceVersion: '3.0',
    }),
    // Of Azurite; a token is never sent without TLS.
    allowInsecureConnection: true,
    ...(signal && { abortSignal: signal }),
  });
  const response = await sendBy(client, request);
  const { status: statusCode } = response;
  if (statusCode !== 200) {
    throw new RestError('The read of a row was refused', { statusCode, request, response });
  }
  const json = jsonOf(response);
  const row: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(json)) {
    if (name.endsWith(typeSuffix)) continue;
    row[names[name] ?? name] = decoded(value, json[`${name}${typeSuffix}`]);
  }
  return row;
}
