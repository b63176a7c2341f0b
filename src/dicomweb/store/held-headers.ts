/**
 * Bounds what a process holds of headers: of instances on their way in, and of those that wait for the
 * commit of their request.
 */
import { ServiceError } from '../../errors.js';

const retryAfterSeconds = 5;

/** What one request holds. */
export interface HeldByRequest {
  /**
   * Counts bytes that are held from now on; a negative number counts bytes that are no longer.
   *
   * @throws ServiceError `overloaded` when the process would hold too much.
   */
  add(bytes: number): void;
  /** The request holds nothing any more. */
  release(): void;
}

export class HeldHeaders {
  readonly #most: number;
  #held = 0;

  /** @param most - bytes that all requests together may hold. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes that are held at this moment. */
  get bytes(): number {
    return this.#held;
  }

  /** Begins to count for a request. */
  open(): HeldByRequest {
    let own = 0;
    return {
      add: (bytes) => {
        if (bytes > 0 && this.#held + bytes > this.#most) {
          throw new ServiceError(
            'overloaded',
            `The service holds as many headers as it has memory for (${this.#most} bytes). Try again, with fewer instances in a request.`,
            { limit: 'maxHeldHeaderBytes', limitValue: this.#most, retryAfterSeconds },
          );
        }
        own += bytes;
        this.#held += bytes;
      },
      release: () => {
        this.#held -= own;
        own = 0;
      },
    };
  }
}
