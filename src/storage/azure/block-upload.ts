/** A blob sent in blocks, which appears when they are committed. */
import type { BlockBlobClient } from '@azure/storage-blob';
import type { BlockBuffers } from './block-buffers.js';
import { forwardAbort } from './forward-abort.js';

/** Blocks of one blob on their way at a time. */
const blocksInFlight = 3;

/** All of one length, as the service demands. */
function blockId(index: number): string {
  return Buffer.from(String(index).padStart(6, '0')).toString('base64');
}

/** Where blocks go. */
export interface BlockTarget {
  readonly client: BlockBlobClient;
  readonly buffers: BlockBuffers;
  /** Called before each call to the service. */
  readonly tell: (operation: 'put' | 'put-block' | 'commit-blocks') => void;
  readonly signal: AbortSignal | undefined;
}

/** Sends blocks while the next ones fill, never more than a few at a time. */
export class BlockUpload {
  readonly #target: BlockTarget;
  readonly #abort = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  /** Ends the use of the caller's signal: call it when nothing more is sent. */
  readonly end: () => void;
  #failure: { readonly error: unknown } | undefined;
  #ids: string[] = [];

  constructor(target: BlockTarget) {
    this.#target = target;
    this.end = forwardAbort(target.signal, this.#abort);
  }

  /** Begins to send a block; resolves when there is room for the next one. */
  async send(buffer: Uint8Array, length: number): Promise<void> {
    const id = blockId(this.#ids.length);
    this.#ids.push(id);
    const sending = this.#stage(id, buffer, length).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    if (this.#sending.size >= blocksInFlight) await Promise.race(this.#sending);
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Makes the blob of all blocks sent; no signal ends that, for nobody would know whether the blob is there. */
  async commit(): Promise<void> {
    await Promise.all(this.#sending);
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#target.tell('commit-blocks');
    await this.#target.client.commitBlockList(this.#ids);
  }

  /** Stops sending; resolves when nothing is on its way. The service forgets the blocks by itself. */
  async cancel(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#sending);
  }

  /** Never rejects, since nobody may be waiting. */
  async #stage(id: string, buffer: Uint8Array, length: number): Promise<void> {
    const { client, buffers, tell } = this.#target;
    try {
      tell('put-block');
      const body = buffer.subarray(0, length);
      await client.stageBlock(id, body, length, { abortSignal: this.#abort.signal });
      // Only now: after a failure a socket might still read from it.
      buffers.give(buffer);
    } catch (error) {
      this.#failure ??= { error };
    }
  }
}
