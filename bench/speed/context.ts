/** What the rows of the speed table share: the running service, the storage beneath it, and Orthanc. */
import { finished } from 'node:stream/promises';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import type { Orthanc } from './orthanc.js';
import type { Row } from './row.js';
import type { RunningService } from './service.js';

export interface Context {
  readonly service: RunningService;
  /** The account that the service uses. */
  readonly connectionString: string;
  readonly orthanc: Orthanc | undefined;
  readonly rounds: number;
  readonly progress: (what: string) => void;
}

/** One part of the table: `npm run bench -- --only <name>`. */
export interface Part {
  readonly name: string;
  readonly measure: (context: Context) => Promise<readonly Row[]>;
}

/** A container of the same account for the SDK alone, made when absent. */
export async function rawContainer({ connectionString }: Context): Promise<ContainerClient> {
  const container =
    BlobServiceClient.fromConnectionString(connectionString).getContainerClient('bench');
  await container.createIfNotExists();
  return container;
}

/** Downloads a blob, or a range of it, with the SDK alone; resolves when the last byte is here. */
export async function rawGet(
  container: ContainerClient,
  name: string,
  offset = 0,
  length?: number,
): Promise<void> {
  const { readableStreamBody } = await container.getBlobClient(name).download(offset, length);
  if (readableStreamBody === undefined) throw new Error('no body');
  await finished(readableStreamBody.resume());
}
