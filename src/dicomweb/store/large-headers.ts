/** Works on one large header at a time: what it takes to interpret one is many times its size. */
import { ServiceError } from '../../errors.js';

/** Smaller headers are over before memory or anyone else notices. */
const largeBytes = 256 * 1024;
/** A header that has not had its turn by then is refused. */
const longestWaitMilliseconds = 20_000;
const retryAfterSeconds = 5;

export class LargeHeaders {
  readonly #longestWait: number;
  /** Settles when all who came before have had their turn. */
  #before: Promise<void> = Promise.resolve();

  constructor(longestWait = longestWaitMilliseconds) {
    this.#longestWait = longestWait;
  }

  /**
   * Does work on a header; on a large one when its turn has come.
   *
   * @param work - waits for nothing but its own computations.
   * @throws ServiceError `overloaded` when the turn does not come in time.
   */
  async work<Result>(headerBytes: number, work: () => Promise<Result>): Promise<Result> {
    if (headerBytes <= largeBytes) return await work();
    const before = this.#before;
    const since = performance.now();
    const turn = before.then(async () => {
      if (performance.now() - since > this.#longestWait) {
        throw new ServiceError('overloaded', 'The service is busy with large headers. Try again.', {
          retryAfterSeconds,
        });
      }
      return await work();
    });
    this.#before = turn.then(
      () => undefined,
      () => undefined,
    );
    return await turn;
  }
}
