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
export async function* untilAborted(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (signal === undefined) {
    yield* body;
    return;
  }
  if (signal.aborted) throw clientAborted();
  let fail: (error: unknown) => void = () => undefined;
  const fire = () => {
    fail(clientAborted(signal.reason));
  };
  signal.addEventListener('abort', fire, { once: true });
  const iterator = body[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      // A race against one promise for the whole body would keep every chunk until its end.
      const step = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        // It may have fired while the last chunk was dealt with.
        if (signal.aborted) fire();
        else iterator.next().then(resolve, reject);
      }).catch((error: unknown) => {
        // After an error of its own the body needs no ending.
        ended = !signal.aborted;
        throw error;
      });
      ended = step.done === true;
      if (step.done === true) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener('abort', fire);
    if (!ended) Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
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
