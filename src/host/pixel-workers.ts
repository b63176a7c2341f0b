/**
 * Work on pixels in threads: a few workers, started when first needed, a bounded queue before them, and
 * a time limit after which a worker is ended and another takes its place.
 */
import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { EncodedFrame } from '../dicom/pixel/encode-frame.js';
import type { PixelLimits } from '../dicom/pixel/pixel-limits.js';
import type { RenderJob } from '../dicom/pixel/render/render-job.js';
import type { PixelWork, TranscodeJob } from '../dicomweb/pixel-work.js';
import { ServiceError } from '../errors.js';
import {
  movable,
  type PixelJob,
  type PixelResult,
  type PixelWorkerData,
} from './pixel-messages.js';
import { PixelThread } from './pixel-thread.js';

export interface PixelWorkersOptions {
  readonly startWorker: () => Worker;
  /** Threads at the most. */
  readonly workers: number;
  /** What one job may take. */
  readonly timeoutMilliseconds: number;
  /** Jobs, and bytes of their payloads, that may wait for a thread. */
  readonly mostWaiting: number;
  readonly mostWaitingBytes: number;
  /** After that long without work a thread ends: codecs never give back their memory. */
  readonly idleMilliseconds: number;
}

/** What does for every installation. */
export const defaultQueue = {
  mostWaiting: 256,
  mostWaitingBytes: 256 * 1024 ** 2,
  idleMilliseconds: 60_000,
} satisfies Partial<PixelWorkersOptions>;

/** JavaScript heap of a worker; samples and codecs lie outside of it. */
const heapMegabytes = 256;
const retryAfterSeconds = 2;
const mostWorkersUnasked = 2;

/** One less than there are cores, so that requests are answered meanwhile; at least 1, at most 2. */
export function suggestedWorkers(): number {
  return Math.min(mostWorkersUnasked, Math.max(1, availableParallelism() - 1));
}

/** Starts a worker from the compiled module beside this one. */
export function startPixelWorker(limits: PixelLimits): Worker {
  const workerData: PixelWorkerData = { limits };
  return new Worker(path.join(__dirname, 'pixel-worker.js'), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
}

interface Waiting {
  readonly job: PixelJob;
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly resolve: (result: PixelResult) => void;
  readonly reject: (error: Error) => void;
}

/** Makes the pool; it starts nothing before the first job. */
export function createPixelWorkers(options: PixelWorkersOptions): PixelWork {
  return new PixelWorkers(options);
}

class PixelWorkers implements PixelWork {
  readonly #options: PixelWorkersOptions;
  readonly #queue = new Set<Waiting>();
  readonly #threads: readonly PixelThread[];
  #waitingBytes = 0;
  #closed = false;

  constructor(options: PixelWorkersOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.workers }, () => new PixelThread(options));
  }

  async transcode(job: TranscodeJob, signal: AbortSignal): Promise<EncodedFrame> {
    const payload = movable(job.payload);
    const result = await this.#enqueue(
      { kind: 'transcode', job: { ...job, payload } },
      payload.length,
      signal,
    );
    if (result instanceof Uint8Array) throw new TypeError('A worker answered another question.');
    return result;
  }

  async render(job: RenderJob, signal: AbortSignal): Promise<Uint8Array> {
    const frames = job.frames.map((frame) => ({ ...frame, payload: movable(frame.payload) }));
    const bytes = frames.reduce((sum, { payload }) => sum + payload.length, 0);
    const result = await this.#enqueue({ kind: 'render', job: { ...job, frames } }, bytes, signal);
    if (result instanceof Uint8Array) return result;
    throw new TypeError('A worker answered another question.');
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue) {
      this.#leave(waiting);
      waiting.reject(stopping());
    }
    await Promise.all(this.#threads.map(async (thread) => await thread.end(stopping())));
  }

  async #enqueue(job: PixelJob, bytes: number, signal: AbortSignal): Promise<PixelResult> {
    signal.throwIfAborted();
    if (this.#closed) throw stopping();
    this.#refuseTooMany(bytes);
    // One request asks for many frames, and all of them mind its signal.
    setMaxListeners(0, signal);
    let abort: () => void = () => undefined;
    try {
      return await new Promise<PixelResult>((resolve, reject) => {
        const waiting: Waiting = { job, bytes, signal, resolve, reject };
        this.#queue.add(waiting);
        this.#waitingBytes += bytes;
        abort = () => {
          this.#leave(waiting);
          reject(abortReason(signal));
        };
        signal.addEventListener('abort', abort);
        this.#serve();
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  #refuseTooMany(bytes: number): void {
    const { mostWaiting, mostWaitingBytes } = this.#options;
    const idle = this.#threads.some(({ busy }) => !busy);
    if (idle && this.#queue.size === 0) return;
    if (this.#queue.size < mostWaiting && this.#waitingBytes + bytes <= mostWaitingBytes) return;
    throw new ServiceError(
      'overloaded',
      'The service is busy with the conversion of other frames. Try again.',
      { limit: 'mostWaitingFrames', limitValue: mostWaiting, retryAfterSeconds },
    );
  }

  #leave(waiting: Waiting): void {
    if (this.#queue.delete(waiting)) this.#waitingBytes -= waiting.bytes;
  }

  #serve(): void {
    for (const thread of this.#threads) {
      if (thread.busy) continue;
      const [next] = this.#queue;
      if (next === undefined) return;
      this.#leave(next);
      thread
        .run(next.job, next.signal)
        .then(next.resolve, next.reject)
        .finally(() => this.#serve());
    }
  }
}

function stopping(): ServiceError {
  return new ServiceError('overloaded', 'The service is stopping.', { retryAfterSeconds });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('The work was given up.');
}
