/**
 * What blob stores share: reading the body of a blob to be stored, so that a signal ends it even while
 * it is silent, and checking what is asked of them.
 */
import { ServiceError } from '../errors.js';
import { listPageBlobs } from './blob-store.js';

/** The error of a call whose client went away. */
export function clientAborted(cause?: unknown): ServiceError {
  return new ServiceError('client-aborted', 'The client went away', {}, cause);
}

/**
 * Yields what `body` yields. When the signal fires, throws `client-aborted` at once, even if `body`
 * never yields again; `body` is then told to end, but not awaited.
 */
export function untilAborted(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<Uint8Array, undefined> {
  const source = body[Symbol.asyncIterator]();
  const end = { done: true, value: undefined } as const;
  let ended = false;
  /** Fails what is being waited for. */
  let fail: (error: unknown) => void = () => undefined;
  const settle = () => {
    ended = true;
    signal?.removeEventListener('abort', fire);
  };
  const leave = () => {
    settle();
    Promise.resolve(source.return?.()).catch(() => undefined);
  };
  const fire = () => {
    leave();
    fail(clientAborted(signal?.reason));
  };
  signal?.addEventListener('abort', fire, { once: true });
  const chunks: AsyncIterableIterator<Uint8Array, undefined> = {
    [Symbol.asyncIterator]: () => chunks,
    next() {
      // A race against one promise for the whole body would keep every chunk until its end.
      return new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          if (!ended) leave();
          reject(clientAborted(signal.reason));
          return;
        }
        if (ended) {
          resolve(end);
          return;
        }
        fail = reject;
        source.next().then(
          (step) => {
            if (step.done === true) settle();
            resolve(step.done === true ? end : step);
          },
          (error: unknown) => {
            settle();
            fail(error);
          },
        );
      });
    },
    async return() {
      if (!ended) leave();
      return await Promise.resolve(end);
    },
  };
  return chunks;
}

/** All bytes of a body that is known to be small. */
export async function allBytes(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Refuses a range that cannot be asked for.
 *
 * @throws RangeError when the offset is negative or the length is below 1, or either is no integer.
 */
export function checkRange(range: { readonly offset: number; readonly length?: number }): void {
  if (!Number.isSafeInteger(range.offset) || range.offset < 0) {
    throw new RangeError(`A range from ${range.offset}`);
  }
  if (range.length !== undefined && (!Number.isSafeInteger(range.length) || range.length < 1)) {
    throw new RangeError(`A range of ${range.length} bytes`);
  }
}

/**
 * Refuses a page of blobs that cannot be asked for.
 *
 * @throws RangeError when it is not of 1 to 5000 blobs.
 */
export function checkListLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > listPageBlobs) {
    throw new RangeError(`A page of ${limit} blobs`);
  }
}

/** The error of a range that begins at or past the end of its blob: the index and the blob disagree. */
export function rangePastEnd(name: string, offset: number, cause?: unknown): ServiceError {
  return new ServiceError(
    'storage-corrupt',
    `Blob ${name} ends before byte ${offset}`,
    { offset },
    cause,
  );
}
