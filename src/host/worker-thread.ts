/** One worker thread for pixels and its place in the pool: started when needed, replaced when lost. */
import type { Worker } from 'node:worker_threads';
import { ServiceError } from '../errors.js';
import { errorOf, type PixelJob, type PixelReply, type PixelResult } from './pixel-messages.js';

export interface PixelThreadOptions {
  readonly startWorker: () => Worker;
  readonly timeoutMilliseconds: number;
  readonly idleMilliseconds: number;
}

/** What an unwanted job may still take before its worker is ended for it. */
const graceMilliseconds = 1000;

export class PixelThread {
  readonly #options: PixelThreadOptions;
  #worker: Worker | undefined;
  /** Whether `#worker` has said that it runs. */
  #ready = false;
  #settle: ((outcome: PixelResult | Error) => void) | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: PixelThreadOptions) {
    this.#options = options;
  }

  /** Whether a job is under way. */
  get busy(): boolean {
    return this.#settle !== undefined;
  }

  /**
   * Does one job. The thread is busy until the promise settles.
   *
   * @throws ServiceError what the job throws; `pixel-data-too-large` when it takes too long;
   *   `pixel-data-corrupt` when it ends the worker.
   */
  async run(job: PixelJob, signal: AbortSignal): Promise<PixelResult> {
    clearTimeout(this.#idle);
    const { timeoutMilliseconds } = this.#options;
    return await new Promise<PixelResult>((resolve, reject) => {
      const worker = (this.#worker ??= this.#start());
      worker.ref();
      let timer = setTimeout(() => this.#lose(tooSlow(timeoutMilliseconds)), timeoutMilliseconds);
      const hurry = () => {
        clearTimeout(timer);
        timer = setTimeout(() => this.#lose(tooSlow(graceMilliseconds)), graceMilliseconds);
      };
      signal.addEventListener('abort', hurry, { once: true });
      this.#settle = (outcome) => {
        this.#settle = undefined;
        clearTimeout(timer);
        signal.removeEventListener('abort', hurry);
        this.#rest();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      };
      try {
        worker.postMessage(job, payloadsOf(job));
      } catch (error) {
        this.#settle(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Ends the worker; a job under way fails with `reason`. */
  async end(reason: Error): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#forget();
    this.#settle?.(reason);
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = this.#options.startWorker();
    this.#ready = false;
    worker.on('message', (reply: PixelReply) => {
      if (worker !== this.#worker) return;
      if (reply.kind === 'ready') this.#ready = true;
      else if (reply.kind === 'done') this.#settle?.(reply.result);
      else this.#settle?.(errorOf(reply.fault));
    });
    const lost = (cause: unknown) => {
      if (worker === this.#worker) this.#lose(this.#ready ? crashed(cause) : notStarted(cause));
    };
    worker.on('error', lost);
    worker.on('messageerror', lost);
    worker.on('exit', (code) => lost(new Error(`The worker ended with code ${code}.`)));
    return worker;
  }

  /** Parts with the worker; the next job starts another. */
  #lose(reason: Error): void {
    const worker = this.#forget();
    void worker?.terminate();
    this.#settle?.(reason);
  }

  #forget(): Worker | undefined {
    const worker = this.#worker;
    this.#worker = undefined;
    return worker;
  }

  /** Lets the process end while there is nothing to do, and the worker after a while. */
  #rest(): void {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.unref();
    this.#idle = setTimeout(() => {
      if (this.#worker === worker && !this.busy) void this.#forget()?.terminate();
    }, this.#options.idleMilliseconds).unref();
  }
}

function payloadsOf({ kind, job }: PixelJob): ArrayBuffer[] {
  const payloads = kind === 'render' ? job.frames.map(({ payload }) => payload) : [job.payload];
  const buffers = payloads.map(({ buffer }) => buffer);
  // Frames that are shown twice may share their memory.
  return [...new Set(buffers)].filter((buffer) => buffer instanceof ArrayBuffer);
}

function tooSlow(milliseconds: number): ServiceError {
  const seconds = milliseconds / 1000;
  return new ServiceError(
    'pixel-data-too-large',
    `The conversion of the frame took longer than ${seconds} seconds and was given up.`,
    { limit: 'pixelTimeoutSeconds', limitValue: seconds },
  );
}

function crashed(cause: unknown): ServiceError {
  return new ServiceError('pixel-data-corrupt', 'The codec failed on the frame.', {}, cause);
}

function notStarted(cause: unknown): Error {
  return new Error('The worker for pixels could not be started.', { cause });
}
