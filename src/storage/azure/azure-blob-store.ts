/** The blob store on Azure Blob Storage, or on Azurite. */
import type { ContainerClient } from '@azure/storage-blob';
import { ServiceError } from '../../errors.js';
import { listPageBlobs } from '../blob-store.js';
import type { OnStorageCall, StorageOperation } from '../storage-call.js';
import type {
  BlobContent,
  BlobPage,
  BlobStore,
  ByteRange,
  ContainerName,
  ListOptions,
} from '../blob-store.js';
import { checkListLimit, checkRange, rangePastEnd, untilAborted } from '../body.js';
import { blobClientIn } from './blob-client-in.js';
import { download } from './blob-download.js';
import { BlockBuffers, blockBytes } from './block-buffers.js';
import { BlockUpload, type BlockTarget } from './block-upload.js';
import { codeOf, isTransient, statusOf, translateError } from './translate-error.js';

/** Most blobs that one batch may delete. */
const deleteBatch = 256;
/** So many go one by one, at the same time: the SDK clears 4 MiB of memory to read the answer to a batch. */
const deletedSingly = 4;

/** An error of the body itself, to be told from those of the service. */
class BodyError extends Error {
  override readonly name = 'BodyError';
}

function valueOf({ value }: IteratorResult<Uint8Array, undefined>): Uint8Array | undefined {
  return value;
}

function failedBody(cause: unknown): never {
  throw new BodyError('The body failed', { cause });
}

/** The next chunk; `undefined` after the last. @throws BodyError for what the body throws. */
function nextOf(chunks: AsyncIterator<Uint8Array, undefined>): Promise<Uint8Array | undefined> {
  return chunks.next().then(valueOf, failedBody);
}

const methods = {
  get: 'GET',
  list: 'GET',
  check: 'GET',
  put: 'PUT',
  'put-block': 'PUT',
  'commit-blocks': 'PUT',
  delete: 'DELETE',
} as const satisfies Partial<Record<StorageOperation, string>>;
type BlobOperation = keyof typeof methods;

/** Deletes up to `deleteBatch` blobs in one call; those that are not there are passed over. */
async function deleteBatchOf(client: ContainerClient, names: readonly string[]): Promise<void> {
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
  readonly #onCall: OnStorageCall;

  /**
   * @param clients one per container, with the retries and policies of `connectStorage`.
   * @param onCall hears of every call.
   */
  constructor(clients: Readonly<Record<ContainerName, ContainerClient>>, onCall: OnStorageCall) {
    this.#clients = clients;
    this.#onCall = onCall;
  }

  #tell(operation: BlobOperation, target: ContainerName): void {
    this.#onCall({ service: 'blob', method: methods[operation], operation, target });
  }

  async put(
    container: ContainerName,
    name: string,
    body: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly length: number }> {
    const { signal } = options;
    const client = blobClientIn(this.#clients[container], name);
    const tell = (operation: BlobOperation) => this.#tell(operation, container);
    const upload = new BlockUpload({ client, buffers: this.#buffers, tell, signal });
    const chunks = untilAborted(body, signal);
    try {
      return { length: await this.#send({ client, tell }, upload, chunks) };
    } catch (error) {
      await upload.cancel();
      if (error instanceof BodyError) throw error.cause;
      throw translateError(error, `Container ${container}`, signal);
    } finally {
      await chunks.return?.();
      upload.end();
    }
  }

  async #send(
    { client, tell }: Pick<BlockTarget, 'client' | 'tell'>,
    upload: BlockUpload,
    chunks: AsyncIterator<Uint8Array, undefined>,
  ): Promise<number> {
    let block = this.#buffers.take(1);
    let filled = 0;
    let sent = 0;
    for (let chunk = await nextOf(chunks); chunk !== undefined; chunk = await nextOf(chunks)) {
      for (let offset = 0; offset < chunk.length;) {
        if (filled === blockBytes) {
          await upload.send(block, filled);
          sent += filled;
          block = this.#buffers.take(blockBytes);
          filled = 0;
        } else if (filled === block.length) {
          block = this.#buffers.grow(block);
        }
        const part = chunk.subarray(offset, offset + block.length - filled);
        block.set(part, filled);
        filled += part.length;
        offset += part.length;
      }
    }
    if (sent === 0) {
      tell('put');
      // Not given up when the client leaves now: nobody would know whether the blob is there.
      await client.upload(block.subarray(0, filled), filled);
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
    const target = {
      client: blobClientIn(this.#clients[container], name),
      what: `Container ${container}`,
      tell: () => this.#tell('get', container),
      signal,
    };
    try {
      const content = await download(target, range);
      if (content.length === 0 && range.offset > 0) {
        // Azurite's answer to a range that begins where the blob ends; Azure's is 416.
        content.cancel();
        throw rangePastEnd(name, range.offset);
      }
      return content;
    } catch (error) {
      const status = statusOf(error);
      if (status === 404 && codeOf(error) !== 'ContainerNotFound') return undefined;
      if (status === 416) throw rangePastEnd(name, range.offset, error);
      throw translateError(error, target.what, signal);
    }
  }

  async list(container: ContainerName, options: ListOptions = {}): Promise<BlobPage> {
    const { prefix, limit = listPageBlobs, continuation, signal } = options;
    checkListLimit(limit);
    this.#tell('list', container);
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
    const deleteOne = async (name: string) => {
      this.#tell('delete', container);
      await blobClientIn(client, name).deleteIfExists();
    };
    try {
      if (names.length <= deletedSingly) {
        await Promise.all(names.map(deleteOne));
        return;
      }
      for (let done = 0; done < names.length; done += deleteBatch) {
        this.#tell('delete', container);
        await deleteBatchOf(client, names.slice(done, done + deleteBatch));
      }
    } catch (error) {
      throw translateError(error, `Container ${container}`);
    }
  }

  async deleteUnchanged(container: ContainerName, name: string, etag: string): Promise<void> {
    this.#tell('delete', container);
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
    this.#tell('check', 'instances');
    try {
      await this.#clients.instances.getProperties(signal && { abortSignal: signal });
    } catch (error) {
      throw translateError(error, 'Container instances', signal);
    }
  }
}
