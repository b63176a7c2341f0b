/** The deadline of storage calls that follow a request: as long as they get on, it moves on with them. */
import { ServiceError } from '../errors.js';
import { timeBudgets } from '../time-budgets.js';

const retryAfterSeconds = 5;

/**
 * A deadline that each piece of work extends when it ends. When it is missed, work is told to stop, and what has an
 * outcome that counts is waited for a little longer. Work that misses that as well may still succeed, so the client is
 * told that the outcome is unknown.
 */
export class ProgressDeadline {
  readonly #longest: number;
  readonly #grace: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #stop = new AbortController();
  #over: ((error: unknown) => void) | undefined;
  readonly #isMissed: Promise<never>;
  readonly #isOver = new Promise<never>((_, reject) => {
    this.#over = reject;
  });

  /**
   * @param longest - storage that gets on answers within a fraction of it.
   * @param grace - how much longer an outcome is waited for.
   */
  constructor(
    longest: number = timeBudgets.stuckRequest,
    grace: number = timeBudgets.stuckOutcome,
  ) {
    this.#longest = longest;
    this.#grace = grace;
    const { signal } = this.#stop;
    this.#isMissed = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    // Whether anything waits for them or not.
    this.#isMissed.catch(() => undefined);
    this.#isOver.catch(() => undefined);
  }

  /** Aborted when the deadline is missed, with ServiceError `storage-unavailable`: work that can stop does. */
  get missed(): AbortSignal {
    return this.#stop.signal;
  }

  /** Starts the clock. */
  start(): void {
    this.#since = performance.now();
    this.#timer ??= setTimeout(() => this.#check(), this.#longest);
  }

  /**
   * Waits for one of many pieces of work; its end extends the deadline of the others.
   *
   * @throws ServiceError `storage-unavailable` when the deadline is missed; what the work throws.
   */
  async bound<Result>(work: Promise<Result>): Promise<Result> {
    return await this.#unless(this.#isMissed, work);
  }

  /**
   * The same of work that stops when the deadline is missed, unless it is about to have an outcome: that is
   * waited for a little longer.
   */
  async outcomeOf<Result>(work: Promise<Result>): Promise<Result> {
    return await this.#unless(this.#isOver, work);
  }

  async #unless<Result>(end: Promise<never>, work: Promise<Result>): Promise<Result> {
    try {
      return await Promise.race([work, end]);
    } finally {
      this.extend();
    }
  }

  /** Sets the deadline anew from now, since something has got on. */
  extend(): void {
    this.#since = performance.now();
  }

  /** Stops the clock. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const left = this.#since + this.#longest - performance.now();
    if (left > 0) {
      this.#timer = setTimeout(() => this.#check(), left);
      return;
    }
    const error = new ServiceError('storage-unavailable', 'Storage did not answer in time.', {
      retryAfterSeconds,
    });
    this.#stop.abort(error);
    this.#timer = setTimeout(() => this.#over?.(error), this.#grace);
  }
}
