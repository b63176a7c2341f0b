/** How long a change waits for storage once its request has been read: not longer than its client would. */
import { ServiceError } from '../errors.js';

/** Storage that gets on answers within a fraction of this. */
const longestMilliseconds = 20_000;
const retryAfterSeconds = 5;

/**
 * Gives up on work among which nothing has come to its end for too long. What is given up goes on
 * behind the answer, and may yet happen: the client is told that nobody knows.
 */
export class Patience {
  readonly #longest: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #giveUp: ((error: ServiceError) => void) | undefined;
  readonly #lost = new Promise<never>((_, reject) => {
    this.#giveUp = reject;
  });

  constructor(longest = longestMilliseconds) {
    this.#longest = longest;
    // Whether anything waits for it or not.
    this.#lost.catch(() => undefined);
  }

  /** Begins to count. */
  begin(): void {
    this.#since = performance.now();
    this.#timer ??= setTimeout(() => this.#check(), this.#longest);
  }

  /** Waits for one of many; each that comes to its end renews the patience with the others. */
  async with<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await Promise.race([work, this.#lost]);
    } finally {
      this.renew();
    }
  }

  /** Something has got on. */
  renew(): void {
    this.#since = performance.now();
  }

  /** Ends the count. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #check(): void {
    const left = this.#since + this.#longest - performance.now();
    if (left > 0) this.#timer = setTimeout(() => this.#check(), left);
    else {
      this.#giveUp?.(
        new ServiceError('storage-unavailable', 'Storage did not answer in time.', {
          retryAfterSeconds,
        }),
      );
    }
  }
}
