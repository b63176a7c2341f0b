/** Back-pressure: a process takes on as many store requests as it has memory for. */
import { ServiceError } from '../../errors.js';

const retryAfterSeconds = 2;

export class StoreGate {
  readonly #most: number;
  #inside = 0;

  /** @param most - store requests that may be inside at the same time. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Runs `work` unless too much is under way.
   *
   * @throws ServiceError `overloaded`, at once, before anything of the request is read.
   */
  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#inside >= this.#most) {
      throw new ServiceError(
        'overloaded',
        `The service is busy with ${this.#most} store requests. Try again.`,
        { limit: 'maxStoreRequests', limitValue: this.#most, retryAfterSeconds },
      );
    }
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
    }
  }
}
