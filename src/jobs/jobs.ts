/**
 * The engine of long work. A job is a row; a runner takes it, does slices, and writes after each how far
 * it has come, guarded by the ETag of the row. Whatever dies between two writes, the slice is done again:
 * the effect of a slice must be the same when it is done twice, and what is counted is counted once.
 */
import { ServiceError } from '../errors.js';
import type { TableStore } from '../storage/table-store.js';
import { isHeld, isOver, newJobId, type Job, type JobId, type JobType } from './job.js';
import { JobStore, type StoredJob } from './job-store.js';

/** What one slice led to. */
export interface Slice {
  /** How far the job has come, as JSON. */
  readonly state: string;
  /** Set when nothing is left to do. */
  readonly end?: 'succeeded' | 'failed';
}

/** Throws ServiceError `storage-unavailable` when the time of a slice is over: another runner may have the job. */
export type EnsureHeld = () => void;

/** How jobs of one type are done. */
export interface JobKind {
  /**
   * Does a bounded piece, of minutes at most. When it settles, nothing that it began is still on its way.
   *
   * @param failures - how often in a row it was tried in vain.
   * @param ensureHeld - to be called before what another runner of the job, or of a later one, must not meet.
   * @throws whatever hinders it: the slice is tried again, and in the end the job fails.
   */
  slice(
    input: string,
    state: string,
    id: JobId,
    failures: number,
    ensureHeld: EnsureHeld,
  ): Promise<Slice>;
}

/** Port: tells a runner, in this process or another, to go on with a job. */
export interface JobQueue {
  announce(id: JobId, afterSeconds?: number): Promise<void>;
}

export interface JobsOptions {
  readonly tables: TableStore;
  readonly queue: JobQueue;
  readonly kinds: Readonly<Record<JobType, JobKind>>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** What became of a run: the job is over, goes on later, or another runner has it. */
export type Run = 'over' | 'goes-on' | 'elsewhere';

/** What an inspection found and did. */
export interface Attendance {
  /** Jobs that had been left lying and were announced again. */
  readonly announced: number;
  /** Seconds since the job that has stood still longest has moved; 0 when all move. */
  readonly standingStillSeconds: number;
  /** Jobs that were over for long, and are forgotten. */
  readonly forgotten: number;
}

const second = 1000;
const minute = 60 * second;

export const jobTiming = {
  /** For a slice; then another runner may take the job. */
  lease: 15 * minute,
  /** At the end of which a slice begins nothing more: longer than any call of storage takes. */
  margin: 2 * minute,
  /** After which a job that nobody has is announced again. */
  idle: 2 * minute,
  /** A job is forgotten so long after its end, as by the Microsoft server. */
  retention: 7 * 24 * 60 * minute,
  /** Slices that may fail in a row. */
  mostFailures: 6,
} as const;

/** Seconds to wait after slices that failed in a row. */
function pauseAfter(failures: number): number {
  return Math.min(15 * 2 ** (failures - 1), 300);
}

export class Jobs {
  readonly #store: JobStore;
  readonly #options: Required<JobsOptions>;

  constructor(options: JobsOptions) {
    this.#store = new JobStore(options.tables);
    this.#options = { now: Date.now, ...options };
  }

  /**
   * Starts a job: its row is there when this resolves. When it cannot be announced, the next inspection does.
   *
   * @param options - `partition` when it is about one alone.
   * @throws ServiceError `payload-too-large`, `storage-unavailable`.
   */
  async start(
    type: JobType,
    input: string,
    state: string,
    { id = newJobId(), partition }: { readonly id?: JobId; readonly partition?: string } = {},
  ): Promise<JobId> {
    await this.#store.insert(this.#newJob(type, input, state, id, partition));
    await this.#announce(id);
    return id;
  }

  /**
   * Starts a job as `start` does, unless another one of its type goes on.
   *
   * @returns the id of the one that goes on; that of the job when there was none.
   * @throws ServiceError `payload-too-large`, `storage-unavailable`.
   */
  async startAlone(
    type: JobType,
    input: string,
    state: string,
    { id = newJobId(), partition }: { readonly id?: JobId; readonly partition?: string } = {},
  ): Promise<JobId> {
    const running = await this.#store.insertAlone(this.#newJob(type, input, state, id, partition));
    if (running === id) await this.#announce(id);
    return running;
  }

  async #announce(id: JobId): Promise<void> {
    try {
      await this.#options.queue.announce(id);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }

  #newJob(type: JobType, input: string, state: string, id: JobId, partition?: string): Job {
    const now = this.#options.now();
    return {
      id,
      type,
      status: 'notStarted',
      ...(partition !== undefined && { partition }),
      created: now,
      updated: now,
      leasedUntil: 0,
      failures: 0,
      input,
      state,
    };
  }

  /**
   * Starts a job and does what it can of it by a time; the rest is done as that of any other.
   *
   * @param until - milliseconds since 1970 after which no slice begins.
   * @throws ServiceError `payload-too-large`, `storage-unavailable`; what hinders a slice does not hinder the start.
   */
  async startHere(
    type: JobType,
    input: string,
    state: string,
    until: number,
    id: JobId = newJobId(),
  ): Promise<Run> {
    await this.#store.insert(this.#newJob(type, input, state, id));
    return await this.runHere(id, until);
  }

  /** As `run`, for who does not depend on it: what hinders a slice is left to the next runner. */
  async runHere(id: JobId, until: number): Promise<Run> {
    try {
      return await this.run(id, until);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return 'elsewhere';
    }
  }

  /** @throws ServiceError `storage-unavailable`. */
  async find(id: JobId): Promise<Job | undefined> {
    return (await this.#store.get(id))?.job;
  }

  /**
   * Whether anything may still happen of a job: it goes on, or was canceled and the slice under way has not ended.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async isActive(id: JobId): Promise<boolean> {
    const job = await this.find(id);
    return job !== undefined && (!isOver(job) || isHeld(job, this.#options.now()));
  }

  /**
   * Jobs that are kept, the newest first.
   *
   * @param most - how many of them.
   * @param isWanted - which of them.
   * @throws ServiceError `storage-unavailable`.
   */
  async newest(most: number, isWanted: (job: Job) => boolean): Promise<readonly Job[]> {
    const found: Job[] = [];
    for await (const { job } of this.#store.all()) if (isWanted(job)) found.push(job);
    return found.sort((one, other) => other.created - one.created).slice(0, most);
  }

  /**
   * Ends a job where it is; one that is over stays as it is. A slice under way is done to its end, and
   * leads to nothing; until then the job is active.
   *
   * @returns whether there is such a job.
   * @throws ServiceError `storage-unavailable`.
   */
  async cancel(id: JobId): Promise<boolean> {
    for (;;) {
      const stored = await this.#store.get(id);
      if (stored === undefined) return false;
      if (isOver(stored.job)) return true;
      const { now } = this.#options;
      const canceled: Job = { ...stored.job, status: 'canceled', input: '{}', updated: now() };
      if ((await this.#store.replace(stored, canceled)) !== undefined) return true;
    }
  }

  /**
   * Goes on with a job, slice by slice, until it is over or a time has come.
   *
   * @param until - milliseconds since 1970 after which no slice begins.
   * @throws ServiceError `storage-unavailable`: run it again.
   */
  async run(id: JobId, until: number): Promise<Run> {
    const { queue, kinds, now } = this.#options;
    const found = await this.#store.get(id);
    if (found === undefined || isOver(found.job)) return 'over';
    if (isHeld(found.job, now())) {
      await queue.announce(id, Math.ceil((found.job.leasedUntil - now()) / second));
      return 'elsewhere';
    }
    let held = await this.#write(found, {
      status: 'running',
      leasedUntil: now() + jobTiming.lease,
    });
    while (held !== undefined) {
      const { type, input, state, failures, leasedUntil } = held.job;
      const ensureHeld = (): void => {
        if (now() < leasedUntil - jobTiming.margin) return;
        throw new ServiceError('storage-unavailable', 'A slice took longer than it may.');
      };
      let slice: Slice;
      try {
        slice = await kinds[type].slice(input, state, id, failures, ensureHeld);
      } catch (error) {
        return await this.#failed(held, failures + 1, error);
      }
      const { end } = slice;
      const isLast = end !== undefined || now() >= until;
      held = await this.#write(held, {
        state: slice.state,
        failures: 0,
        updated: now(),
        leasedUntil: isLast ? 0 : now() + jobTiming.lease,
        ...(end !== undefined && { status: end, input: '{}' }),
      });
      if (held === undefined) {
        await this.#leave(id, leasedUntil);
        break;
      }
      if (end !== undefined) return 'over';
      if (isLast) {
        await queue.announce(id);
        return 'goes-on';
      }
    }
    // Somebody took it over, or canceled it.
    return 'elsewhere';
  }

  async #failed(held: StoredJob, failures: number, error: unknown): Promise<Run> {
    const { id, leasedUntil } = held.job;
    const isLast = failures >= jobTiming.mostFailures;
    const failed = { status: 'failed', input: '{}', updated: this.#options.now() } as const;
    const change = { failures, leasedUntil: 0, ...(isLast && failed) };
    if ((await this.#write(held, change)) === undefined) await this.#leave(id, leasedUntil);
    else if (!isLast) await this.#options.queue.announce(id, pauseAfter(failures));
    throw error;
  }

  /** Whoever waits for a job that was canceled sees that its slice has ended. */
  async #leave(id: JobId, leasedUntil: number): Promise<void> {
    const found = await this.#store.get(id);
    if (found === undefined || !isOver(found.job) || found.job.leasedUntil !== leasedUntil) return;
    await this.#write(found, { leasedUntil: 0 });
  }

  async #write(stored: StoredJob, change: Partial<Job>): Promise<StoredJob | undefined> {
    return await this.#store.replace(stored, { ...stored.job, ...change });
  }

  /**
   * Announces again what was left lying, forgets what has long been over, and measures what stands still.
   *
   * @param options - `alone` when no other process can have a job: then leases of the dead do not count.
   * @throws ServiceError `storage-unavailable`.
   */
  async attend({ alone = false } = {}): Promise<Attendance> {
    const { now, queue } = this.#options;
    let announced = 0;
    let forgotten = 0;
    let oldest = now();
    for await (const stored of this.#store.all()) {
      const { job } = stored;
      if (isOver(job)) {
        if (now() - job.updated < jobTiming.retention) continue;
        await this.#store.remove(stored);
        forgotten += 1;
        continue;
      }
      oldest = Math.min(oldest, job.updated);
      const isLeft = job.leasedUntil <= now() && now() - job.updated >= jobTiming.idle;
      if (!isLeft && !alone) continue;
      if (alone && (await this.#write(stored, { leasedUntil: 0 })) === undefined) continue;
      await queue.announce(job.id);
      announced += 1;
    }
    return { announced, forgotten, standingStillSeconds: Math.floor((now() - oldest) / second) };
  }
}
