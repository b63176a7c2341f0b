/** The deadline of storage calls that follow a request: as long as they get on, it moves on with them. */
import { ServiceError } from '../errors.js';
import { timeBudgets } from '../time-budgets.js';

const retryAfterSeconds = 5;

/**
 * A deadline that each piece of work extends when it ends. Work that misses it goes on behind the answer and
 * may still succeed, so the client is told that the outcome is unknown.
 */
export class ProgressDeadline {
  readonly #longest: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #miss: ((error: ServiceError) => void) | undefined;
  readonly #missed = new Promise<never>((_, reject) => {
    this.#miss = reject;
  });

  /** @param longest - storage that gets on answers within a fraction of it. */
  constructor(longest: number = timeBudgets.stuckRequest) {
    this.#longest = longest;
    // Whether anything waits for it or not.
    this.#missed.catch(() => undefined);
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
    try {
      return await Promise.race([work, this.#missed]);
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
    if (left > 0) this.#timer = setTimeout(() => this.#check(), left);
    else {
      this.#miss?.(
        new ServiceError('storage-unavailable', 'Storage did not answer in time.', {
          retryAfterSeconds,
        }),
      );
    }
  }
}
