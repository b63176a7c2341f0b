/** Watches a response body on its way out: how many bytes went, and how it ended. */
import type { Outcome } from './log.js';

export interface BodyEnd {
  readonly outcome: Outcome;
  readonly bytes: number;
  /** What the source failed with, when it did. */
  readonly error?: unknown;
}

/** What is told of a body, and in whose name its source works. */
export interface Observer {
  /** Told once, when the body has been read to its end, was left or failed. */
  readonly onEnd: (end: BodyEnd) => void;
  /** Runs what the source does as work for the request that made it, whoever reads. */
  readonly within: <T>(work: () => T) => T;
}

/**
 * The same bytes, chunk by chunk on demand. The one stage that a body passes between the handler and
 * the host, which sets the pace by asking.
 */
export function observeBody(
  body: AsyncIterable<Uint8Array>,
  { onEnd, within }: Observer,
): AsyncIterableIterator<Uint8Array> {
  const source = body[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;
  let bytes = 0;
  let ended = false;
  const end = (outcome: Outcome, error?: unknown) => {
    if (ended) return;
    ended = true;
    onEnd(error === undefined ? { outcome, bytes } : { outcome, bytes, error });
  };
  const passed = (step: IteratorResult<Uint8Array, unknown>) => {
    if (step.done === true) {
      end('complete');
      return done;
    }
    bytes += step.value.byteLength;
    return step;
  };
  const failed = (error: unknown) => {
    end('failed', error);
    throw error;
  };
  const observed: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => observed,
    next() {
      return ended ? Promise.resolve(done) : within(() => source.next()).then(passed, failed);
    },
    async return() {
      end('aborted');
      await source.return?.();
      return done;
    },
  };
  return observed;
}
