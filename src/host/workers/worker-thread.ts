/** One worker thread and its place in a pool: started when needed, replaced when lost. */
import type { Worker } from 'node:worker_threads';
import { errorOf, type WorkerReply } from './worker-messages.js';

export interface WorkerThreadOptions<Job> {
  readonly startWorker: () => Worker;
  /** What the work is on, in words: `pixels`. */
  readonly subject: string;
  /** What one job may take. */
  readonly timeoutMilliseconds: number;
  /** After that long without work the thread ends: it never gives back all of its memory. */
  readonly idleMilliseconds: number;
  /** Whether a job may have made the thread grow, so that another takes its place after it. */
  readonly wearsOut?: (job: Job) => boolean;
  /** Memory that moves to the worker with a job. */
  readonly memoryOf: (job: Job) => readonly ArrayBuffer[];
  /** The error for a job that takes longer than `milliseconds`. */
  readonly tooSlow: (milliseconds: number) => Error;
  /** The error for a job that ends its worker. */
  readonly crashed: (cause: unknown) => Error;
}

/** What an unwanted job may still take before its worker is ended for it. */
const graceMilliseconds = 1000;

export class WorkerThread<Job, Result> {
  readonly #options: WorkerThreadOptions<Job>;
  #worker: Worker | undefined;
  /** Whether `#worker` has said that it runs. */
  #ready = false;
  #settle: ((outcome: { readonly result: Result } | Error) => void) | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: WorkerThreadOptions<Job>) {
    this.#options = options;
  }

  /** Whether a job is under way. */
  get busy(): boolean {
    return this.#settle !== undefined;
  }

  /**
   * Does one job. The thread is busy until the promise settles.
   *
   * @throws what the job throws; `tooSlow` when it takes too long; `crashed` when it ends the worker.
   */
  async run(job: Job, signal: AbortSignal): Promise<Result> {
    clearTimeout(this.#idle);
    const { timeoutMilliseconds, tooSlow, memoryOf, wearsOut } = this.#options;
    return await new Promise<Result>((resolve, reject) => {
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
        if (wearsOut?.(job) === true) void this.#forget()?.terminate();
        this.#rest();
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome.result);
      };
      try {
        worker.postMessage(job, memoryOf(job));
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
    const { startWorker, crashed, subject } = this.#options;
    const worker = startWorker();
    this.#ready = false;
    worker.on('message', (reply: WorkerReply<Result>) => {
      if (worker !== this.#worker) return;
      if (reply.kind === 'ready') this.#ready = true;
      else if (reply.kind === 'done') this.#settle?.(reply);
      else this.#settle?.(errorOf(reply.fault));
    });
    const notStarted = (cause: unknown) =>
      new Error(`The worker for ${subject} could not be started.`, { cause });
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
