/** The blob store in memory: the reference that says how every blob store behaves. */
import { ServiceError } from '../../errors.js';
import { checkBlobName } from '../blob-name.js';
import { listPageBlobs } from '../blob-store.js';
import type {
  BlobContent,
  BlobPage,
  BlobStore,
  ByteRange,
  ContainerName,
  ListedBlob,
  ListOptions,
} from '../blob-store.js';
import { checkListLimit, checkRange, clientAborted, rangePastEnd, untilAborted } from '../body.js';
import type { OnStorageCall, StorageCall } from '../storage-call.js';

export interface MemoryBlobStoreOptions {
  readonly onCall?: OnStorageCall;
  /**
   * Awaited before every call takes effect, so that tests can delay, reorder and fail calls: what it
   * rejects with is what the caller gets.
   */
  readonly beforeCall?: (call: StorageCall) => Promise<void>;
}

const chunkBytes = 64 * 1024;
/** Blobs that one delete call carries, as on Azure. */
const deleteBatch = 256;

function* chunks(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    yield Uint8Array.from(bytes.subarray(offset, offset + chunkBytes));
  }
}

function toContinuation(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url');
}

function fromContinuation(continuation: string): string {
  return Buffer.from(continuation, 'base64url').toString('utf8');
}

interface StoredBlob {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** Containers in memory, gone with the process. Holds every blob whole. */
export class MemoryBlobStore implements BlobStore {
  readonly #options: MemoryBlobStoreOptions;
  /** By container, then name. */
  readonly #blobs = new Map<string, StoredBlob>();
  #puts = 0;

  constructor(options: MemoryBlobStoreOptions = {}) {
    this.#options = options;
  }

  /** The names of the blobs of a container, in order; for tests that look for what was left behind. */
  names(container: ContainerName): readonly string[] {
    return [...this.#blobs.keys()]
      .filter((key) => key.startsWith(`${container}/`))
      .map((key) => key.slice(container.length + 1))
      .sort();
  }

  async put(
    container: ContainerName,
    name: string,
    body: AsyncIterable<Uint8Array>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<{ readonly length: number }> {
    checkBlobName(name);
    const parts: Uint8Array[] = [];
    // Copies, since the source may use its buffer again.
    for await (const part of untilAborted(body, options.signal)) parts.push(Uint8Array.from(part));
    await this.#call('PUT', 'put', container);
    const bytes = Buffer.concat(parts);
    this.#puts += 1;
    this.#blobs.set(`${container}/${name}`, { bytes, etag: `"${this.#puts}"` });
    return { length: bytes.length };
  }

  async get(
    container: ContainerName,
    name: string,
    range: ByteRange = { offset: 0 },
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<BlobContent | undefined> {
    checkBlobName(name);
    checkRange(range);
    await this.#call('GET', 'get', container, options.signal);
    const blob = this.#blobs.get(`${container}/${name}`);
    if (blob === undefined) return undefined;
    if (range.offset > 0 && range.offset >= blob.bytes.length) {
      throw rangePastEnd(name, range.offset);
    }
    const end = range.length === undefined ? blob.bytes.length : range.offset + range.length;
    const bytes = blob.bytes.subarray(range.offset, end);
    const { signal } = options;
    let cancelled = false;
    // eslint-disable-next-line @typescript-eslint/require-await -- as a download, which waits
    async function* read() {
      for (const chunk of chunks(bytes)) {
        if (signal?.aborted === true) throw clientAborted(signal.reason);
        if (cancelled) throw new ServiceError('storage-unavailable', 'A download was given up');
        yield chunk;
      }
      if (signal?.aborted === true) throw clientAborted(signal.reason);
    }
    return {
      body: read(),
      cancel: () => {
        cancelled = true;
      },
      length: bytes.length,
      etag: blob.etag,
    };
  }

  async list(container: ContainerName, options: ListOptions = {}): Promise<BlobPage> {
    const { prefix = '', limit = listPageBlobs, continuation, signal } = options;
    checkListLimit(limit);
    await this.#call('GET', 'list', container, signal);
    const next = continuation === undefined ? '' : fromContinuation(continuation);
    const blobs: ListedBlob[] = [];
    for (const name of this.names(container)) {
      if (name < next || !name.startsWith(prefix)) continue;
      if (blobs.length === limit) return { blobs, continuation: toContinuation(name) };
      blobs.push({ name, length: this.#blobs.get(`${container}/${name}`)?.bytes.length ?? 0 });
    }
    return { blobs };
  }

  async delete(container: ContainerName, names: readonly string[]): Promise<void> {
    names.forEach(checkBlobName);
    for (let done = 0; done < names.length; done += deleteBatch) {
      await this.#call('POST', 'delete', container);
      for (const name of names.slice(done, done + deleteBatch)) {
        this.#blobs.delete(`${container}/${name}`);
      }
    }
  }

  async deleteUnchanged(container: ContainerName, name: string, etag: string): Promise<void> {
    checkBlobName(name);
    await this.#call('DELETE', 'delete', container);
    const key = `${container}/${name}`;
    if (this.#blobs.get(key)?.etag === etag) this.#blobs.delete(key);
  }

  async check(signal?: AbortSignal): Promise<void> {
    await this.#call('GET', 'check', 'instances', signal);
  }

  async #call(
    method: string,
    operation: StorageCall['operation'],
    target: string,
    signal?: AbortSignal,
  ): Promise<void> {
    if (signal?.aborted === true) throw clientAborted(signal.reason);
    const call: StorageCall = { service: 'blob', method, operation, target };
    this.#options.onCall?.(call);
    await this.#options.beforeCall?.(call);
  }
}
