/** The blob store on Azure Blob Storage, or on Azurite. */
import { Readable } from 'node:stream';
import type { BlobClient, BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { ServiceError } from '../../errors.js';
import { listPageBlobs } from '../blob-store.js';
import type {
  BlobContent,
  BlobPage,
  BlobStore,
  ByteRange,
  ContainerName,
  ListOptions,
} from '../blob-store.js';
import { checkListLimit, checkRange, clientAborted, rangePastEnd, untilAborted } from '../body.js';
import { blobClientIn } from './blob-client-in.js';
import { BlockBuffers, blockBytes } from './block-buffers.js';
import { BlockUpload } from './block-upload.js';
import { codeOf, isTransient, statusOf, translateError } from './translate-error.js';

/** Most blobs that one batch may delete. */
const deleteBatch = 256;
/** How often a download that breaks off is taken up again where it ended. */
const downloadResumes = 3;

/** An error of the body itself, to be told from those of the service. */
class BodyError extends Error {
  override readonly name = 'BodyError';
}

async function* markErrors(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw new BodyError('The body failed', { cause });
  }
}
/** Chunks, of up to 64 KiB, that a download holds beyond what its reader has taken. */
const chunksAhead = 1;

interface Download {
  readonly client: BlobClient;
  readonly what: string;
  readonly signal: AbortSignal | undefined;
}

interface Source {
  readonly stream: Readable;
  readonly length: number;
  readonly etag: string;
}

async function open(
  { client, signal }: Download,
  offset: number,
  length: number | undefined,
  etag?: string,
): Promise<Source> {
  const answer = await client.download(offset, length, {
    maxRetryRequests: 0,
    ...(signal && { abortSignal: signal }),
    ...(etag !== undefined && { conditions: { ifMatch: etag } }),
  });
  const stream = answer.readableStreamBody as Readable | undefined;
  if (stream === undefined) throw new Error('A download came without a body');
  if (answer.etag === undefined) throw new Error('A download came without an ETag');
  // Errors are met by whoever reads; until then they must not end the process.
  stream.on('error', () => undefined);
  return { stream, length: answer.contentLength ?? 0, etag: answer.etag };
}

/**
 * The bytes of a download that is taken up again where it broke off: the SDK does so only when a
 * connection ends, not when it is reset. Errors are those of the port.
 */
function resumable(download: Download, first: Source, offset: number): Readable {
  let source = first;
  const isLeft = (): boolean => body.destroyed;
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    let received = 0;
    for (let resumes = 0; ; resumes += 1) {
      try {
        for await (const chunk of source.stream as AsyncIterable<Uint8Array>) {
          received += chunk.length;
          yield chunk;
        }
        return;
      } catch (error) {
        if (download.signal?.aborted === true) throw clientAborted(error);
        if (isLeft() || resumes === downloadResumes) {
          throw new ServiceError('storage-unavailable', 'A download broke off', {}, error);
        }
      }
      if (received === first.length) return;
      try {
        source = await open(download, offset + received, first.length - received, first.etag);
        if (isLeft()) source.stream.destroy();
      } catch (error) {
        throw translateError(error, download.what, download.signal);
      }
    }
  }
  // Chunk by chunk: a stream of bytes would copy chunks into one whenever it holds several.
  const body = Readable.from(read(), { objectMode: true, highWaterMark: chunksAhead });
  // The generator ends only when the source does, and is never entered when nobody reads.
  const end = body._destroy.bind(body);
  body._destroy = (error, callback) => {
    source.stream.destroy();
    end(error, callback);
  };
  return body;
}

/** Deletes up to `deleteBatch` blobs in one call; those that are not there are passed over. */
async function deleteBlobs(client: ContainerClient, names: readonly string[]): Promise<void> {
  const [first, second] = names;
  if (first === undefined) return;
  if (second === undefined) {
    await blobClientIn(client, first).deleteIfExists();
    return;
  }
  const blobs = names.map((name) => blobClientIn(client, name));
  const { subResponses } = await client.getBlobBatchClient().deleteBlobs(blobs);
  const failed = subResponses.find(({ status }) => status !== 202 && status !== 404);
  if (failed === undefined && subResponses.length === names.length) return;
  if (failed === undefined || isTransient(failed.status)) {
    throw new ServiceError('storage-unavailable', 'Some blobs could not be deleted');
  }
  throw new Error(`Deleting a blob was answered ${failed.status} ${failed.errorCode ?? ''}`);
}

/** Containers of a storage account. Made by `connectStorage`, which sets up the clients. */
export class AzureBlobStore implements BlobStore {
  readonly #clients: Readonly<Record<ContainerName, ContainerClient>>;
  readonly #buffers = new BlockBuffers();

  /** @param clients one per container, with the retries and policies of `connectStorage`. */
  constructor(clients: Readonly<Record<ContainerName, ContainerClient>>) {
    this.#clients = clients;
  }

  async put(
    container: ContainerName,
    name: string,
    body: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly length: number }> {
    const { signal } = options;
    const client = blobClientIn(this.#clients[container], name);
    const upload = new BlockUpload(client, this.#buffers, signal);
    try {
      return {
        length: await this.#send(client, upload, untilAborted(markErrors(body), signal), signal),
      };
    } catch (error) {
      await upload.cancel();
      if (error instanceof BodyError) throw error.cause;
      throw translateError(error, `Container ${container}`, signal);
    }
  }

  async #send(
    client: BlockBlobClient,
    upload: BlockUpload,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    let block = this.#buffers.take();
    let filled = 0;
    let sent = 0;
    for await (const chunk of body) {
      for (let offset = 0; offset < chunk.length;) {
        if (filled === blockBytes) {
          await upload.send(block, filled);
          sent += filled;
          block = this.#buffers.take();
          filled = 0;
        }
        const part = chunk.subarray(offset, offset + blockBytes - filled);
        block.set(part, filled);
        filled += part.length;
        offset += part.length;
      }
    }
    if (sent === 0) {
      const abortSignal = signal && { abortSignal: signal };
      await client.upload(block.subarray(0, filled), filled, abortSignal);
      this.#buffers.give(block);
    } else {
      await upload.send(block, filled);
      await upload.commit();
    }
    return sent + filled;
  }

  async get(
    container: ContainerName,
    name: string,
    range: ByteRange = { offset: 0 },
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<BlobContent | undefined> {
    checkRange(range);
    const { signal } = options;
    const client = blobClientIn(this.#clients[container], name);
    const download = { client, what: `Container ${container}`, signal };
    try {
      const source = await open(download, range.offset, range.length);
      if (source.length === 0 && range.offset > 0) {
        // Azurite's answer to a range that begins where the blob ends; Azure's is 416.
        source.stream.destroy();
        throw rangePastEnd(name, range.offset);
      }
      const { length, etag } = source;
      return { body: resumable(download, source, range.offset), length, etag };
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 && codeOf(error) !== 'ContainerNotFound') return undefined;
      if (status === 416) throw rangePastEnd(name, range.offset, error);
      throw translateError(error, download.what, signal);
    }
  }

  async list(container: ContainerName, options: ListOptions = {}): Promise<BlobPage> {
    const { prefix, limit = listPageBlobs, continuation, signal } = options;
    checkListLimit(limit);
    try {
      const pages = this.#clients[container]
        .listBlobsFlat({
          ...(prefix !== undefined && prefix !== '' && { prefix }),
          ...(signal && { abortSignal: signal }),
        })
        .byPage({
          maxPageSize: limit,
          ...(continuation !== undefined && { continuationToken: continuation }),
        });
      const page = await pages.next();
      if (page.done === true) return { blobs: [] };
      const { segment, continuationToken } = page.value;
      const blobs = segment.blobItems.map(({ name, properties }) => ({
        name,
        length: properties.contentLength ?? 0,
      }));
      return continuationToken === undefined || continuationToken === ''
        ? { blobs }
        : { blobs, continuation: continuationToken };
    } catch (error) {
      throw translateError(error, `Container ${container}`, signal);
    }
  }

  async delete(container: ContainerName, names: readonly string[]): Promise<void> {
    const client = this.#clients[container];
    try {
      for (let done = 0; done < names.length; done += deleteBatch) {
        await deleteBlobs(client, names.slice(done, done + deleteBatch));
      }
    } catch (error) {
      throw translateError(error, `Container ${container}`);
    }
  }

  async deleteUnchanged(container: ContainerName, name: string, etag: string): Promise<void> {
    try {
      const client = blobClientIn(this.#clients[container], name);
      await client.deleteIfExists({ conditions: { ifMatch: etag } });
    } catch (error) {
      // Written since; of a blob that is not there Azurite says so as well.
      if (statusOf(error) === 412) return;
      throw translateError(error, `Container ${container}`);
    }
  }

  async check(signal?: AbortSignal): Promise<void> {
    try {
      await this.#clients.instances.getProperties(signal && { abortSignal: signal });
    } catch (error) {
      throw translateError(error, 'Container instances', signal);
    }
  }
}
