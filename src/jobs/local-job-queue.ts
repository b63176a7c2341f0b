/** Jobs of a process that has its storage to itself: announced here, run here. */
import { ServiceError } from '../errors.js';
import type { JobId } from './job.js';
import type { JobQueue } from './jobs.js';

/** Longest wait for a slice under way when the process ends; what it did is done again then. */
const closingMilliseconds = 5000;

export class LocalJobQueue implements JobQueue {
  readonly #run: (id: JobId) => Promise<void>;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  /** @param run - goes on with a job; never rejects. */
  constructor(run: (id: JobId) => Promise<void>) {
    this.#run = run;
  }

  async announce(id: JobId, afterSeconds = 0): Promise<void> {
    await Promise.resolve();
    if (this.#isClosed) throw new ServiceError('storage-unavailable', 'The service is stopping.');
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      const running = this.#run(id).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }, afterSeconds * 1000);
    this.#timers.add(timer);
  }

  /** Begins nothing more; resolves when nothing is under way, or after a few seconds. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closingMilliseconds);
    });
    await Promise.race([Promise.all(this.#running), late]);
    clearTimeout(timer);
  }
}
