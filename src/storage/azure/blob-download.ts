/**
 * The bytes of a download, which is taken up again where it broke off: the SDK does so only when a
 * connection ends, not when it is reset.
 */
import type { Readable } from 'node:stream';
import type { BlobClient } from '@azure/storage-blob';
import { ServiceError } from '../../errors.js';
import type { BlobContent, ByteRange } from '../blob-store.js';
import { clientAborted } from '../body.js';
import { StreamChunks } from '../stream-chunks.js';
import { translateError } from './translate-error.js';

/** How often a download is taken up again. */
const mostResumes = 3;

/** What is downloaded, and for whom. */
export interface DownloadTarget {
  readonly client: BlobClient;
  /** In words, for errors. */
  readonly what: string;
  /** Called before each call to the service. */
  readonly tell: () => void;
  readonly signal: AbortSignal | undefined;
}

/** An answer whose body is still to be read. */
interface Source {
  readonly stream: Readable;
  readonly length: number;
  readonly etag: string;
}

async function open(
  { client, tell, signal }: DownloadTarget,
  offset: number,
  length: number | undefined,
  etag?: string,
): Promise<Source> {
  tell();
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

class Download implements BlobContent, AsyncIterableIterator<Uint8Array> {
  readonly body = this;
  readonly length: number;
  readonly etag: string;
  readonly #target: DownloadTarget;
  readonly #offset: number;
  #source: Source;
  #chunks: StreamChunks;
  #received = 0;
  #resumes = 0;
  #cancelled = false;

  constructor(target: DownloadTarget, source: Source, offset: number) {
    this.#target = target;
    this.#offset = offset;
    this.#source = source;
    this.#chunks = new StreamChunks(source.stream);
    this.length = source.length;
    this.etag = source.etag;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#chunks.next().then(this.#passed, this.#brokenOff);
  }

  readonly #passed = (value: Uint8Array | undefined): IteratorResult<Uint8Array, undefined> => {
    if (value === undefined) return { done: true, value };
    this.#received += value.length;
    return { done: false, value };
  };

  readonly #brokenOff = async (error: unknown): Promise<IteratorResult<Uint8Array, undefined>> => {
    if (this.#target.signal?.aborted === true) throw clientAborted(error);
    if (this.#cancelled || this.#resumes === mostResumes) {
      throw new ServiceError('storage-unavailable', 'A download broke off', {}, error);
    }
    if (this.#received === this.length) return { done: true, value: undefined };
    await this.#resume();
    return await this.next();
  };

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.cancel();
    return await Promise.resolve({ done: true, value: undefined });
  }

  cancel(): void {
    this.#cancelled = true;
    this.#source.stream.destroy();
  }

  async #resume(): Promise<void> {
    this.#resumes += 1;
    const [offset, length] = [this.#offset + this.#received, this.length - this.#received];
    try {
      this.#source = await open(this.#target, offset, length, this.etag);
    } catch (error) {
      throw translateError(error, this.#target.what, this.#target.signal);
    }
    if (this.#cancelled) this.#source.stream.destroy();
    this.#chunks = new StreamChunks(this.#source.stream);
  }
}

/**
 * Opens a range of a blob.
 *
 * @throws what the SDK throws. Reading throws errors of the port.
 */
export async function download(
  target: DownloadTarget,
  { offset, length }: ByteRange,
): Promise<BlobContent> {
  return new Download(target, await open(target, offset, length), offset);
}
