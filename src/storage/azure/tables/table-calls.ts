/** Calls to a table that we write ourselves: where they go, and how they are sent. */
import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import type { TableClient } from '@azure/data-tables';

/** Where a table is: its account without a slash at the end, and its shared access signature, often empty. */
export function addressOf({ url }: TableClient): {
  readonly endpoint: string;
  readonly signature: string;
} {
  const [account = '', signature = ''] = url.split('?');
  return { endpoint: account.replace(/\/$/, ''), signature };
}

function quoted(key: string): string {
  return `'${encodeURIComponent(key.replaceAll("'", "''"))}'`;
}

/** The URL of a row. */
export function rowUrl(tableUrl: string, partitionKey: string, rowKey: string): string {
  return `${tableUrl}(PartitionKey=${quoted(partitionKey)},RowKey=${quoted(rowKey)})`;
}

/** The pipelines of our clients end in a sender of ours. */
const nobody: HttpClient = {
  sendRequest: async () => await Promise.reject(new Error('The pipeline of a table has no sender')),
};

/** Sends a call through the steps of a client: signature, retries and so on. */
export function sendBy(client: TableClient, request: PipelineRequest): Promise<PipelineResponse> {
  return client.pipeline.sendRequest(nobody, request);
}
