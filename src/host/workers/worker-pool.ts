/**
 * Work in threads: a few workers, started when first needed, a bounded queue before them, and a time
 * limit after which a worker is ended and another takes its place.
 */
import { setMaxListeners } from 'node:events';
import { ServiceError } from '../../errors.js';
import { WorkerThread, type WorkerThreadOptions } from './worker-thread.js';

export interface WorkerPoolOptions<Job> extends WorkerThreadOptions<Job> {
  /** Threads at the most. */
  readonly workers: number;
  /** Jobs, and bytes of them, that may wait for a thread. */
  readonly mostWaiting: number;
  readonly mostWaitingBytes: number;
  /** How long a job may wait. */
  readonly longestWaitMilliseconds: number;
  /** The error for a job that finds no place in the queue, or no thread in time. */
  readonly overloaded: () => ServiceError;
}

/** After that long without work a thread ends, in every installation. */
export const idleMilliseconds = 60_000;
const retryAfterSeconds = 2;

interface Waiting<Job, Result> {
  readonly job: Job;
  readonly bytes: number;
  readonly signal: AbortSignal;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/** Starts nothing before the first job. */
export class WorkerPool<Job, Result> {
  readonly #options: WorkerPoolOptions<Job>;
  readonly #queue = new Set<Waiting<Job, Result>>();
  readonly #threads: readonly WorkerThread<Job, Result>[];
  #waitingBytes = 0;
  #closed = false;

  constructor(options: WorkerPoolOptions<Job>) {
    this.#options = options;
    this.#threads = Array.from({ length: options.workers }, () => new WorkerThread(options));
  }

  /**
   * Does one job in the next thread that is free.
   *
   * @param bytes - what the job holds while it waits.
   * @throws what `WorkerThread.run` throws; `overloaded`; the signal's reason once it is aborted.
   */
  async run(job: Job, bytes: number, signal: AbortSignal): Promise<Result> {
    signal.throwIfAborted();
    if (this.#closed) throw stopping();
    this.#refuseTooMany(bytes);
    // One request asks for much, and all of it listens to its signal.
    setMaxListeners(0, signal);
    let leave: (error: Error) => void = () => undefined;
    const abort = () => leave(abortReason(signal));
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Result>((resolve, reject) => {
        const waiting = { job, bytes, signal, resolve, reject };
        this.#queue.add(waiting);
        this.#waitingBytes += bytes;
        leave = (error) => {
          this.#leave(waiting);
          reject(error);
        };
        signal.addEventListener('abort', abort);
        this.#serve();
        if (this.#queue.has(waiting)) {
          timer = setTimeout(() => {
            if (this.#queue.has(waiting)) leave(this.#options.overloaded());
          }, this.#options.longestWaitMilliseconds);
        }
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Ends what is under way; further work is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue) {
      this.#leave(waiting);
      waiting.reject(stopping());
    }
    await Promise.all(this.#threads.map(async (thread) => await thread.end(stopping())));
  }

  #refuseTooMany(bytes: number): void {
    const { mostWaiting, mostWaitingBytes, overloaded } = this.#options;
    const idle = this.#threads.some(({ busy }) => !busy);
    if (idle && this.#queue.size === 0) return;
    if (this.#queue.size < mostWaiting && this.#waitingBytes + bytes <= mostWaitingBytes) return;
    throw overloaded();
  }

  #leave(waiting: Waiting<Job, Result>): void {
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
