/**
 * Bodies as async iterables. Nothing is read before it is asked for, so the slowest party sets the pace,
 * and whoever stops early stops the source.
 */
import { ServiceError } from '../errors.js';

/** Error codes and names under which Node reports that the peer has gone. */
const abortMarks: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'EPIPE',
  'ABORT_ERR',
  'AbortError',
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_ABORTED',
  'UND_ERR_SOCKET',
]);

/**
 * Passes chunks on until their sum would exceed `maxBytes`; the source is then returned.
 * @throws ServiceError 'payload-too-large' with the limit.
 */
export async function* limitBody(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.byteLength;
    if (total > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

/** The refusal of a body that is larger than what a request may have. */
export function tooLarge(maxBytes: number): ServiceError {
  return new ServiceError('payload-too-large', `The body is larger than ${maxBytes} bytes.`, {
    limit: 'maxBodyBytes',
    limitValue: maxBytes,
  });
}

/**
 * The chunks of a request body; none for a request without one. Stopping early ends the source.
 *
 * @param onBytes - told of the bytes of each chunk.
 * @throws ServiceError 'payload-too-large' beyond `maxBytes`; 'client-aborted' when the connection ends
 *   first; other errors unchanged.
 */
export function receivedBody(
  source: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
  onBytes: (bytes: number) => void,
): AsyncIterableIterator<Uint8Array, undefined> {
  const chunks = source?.[Symbol.asyncIterator]();
  const end = { done: true, value: undefined } as const;
  let total = 0;
  let ended = false;
  const passed = (step: IteratorResult<Uint8Array, unknown>) => {
    if (step.done === true) {
      ended = true;
      return end;
    }
    total += step.value.byteLength;
    if (total > maxBytes) return refused();
    onBytes(step.value.byteLength);
    return step;
  };
  const failed = (error: unknown): never => {
    ended = true;
    throw isAbort(error) ? brokenOff(error) : error;
  };
  const refused = async (): Promise<never> => {
    await body.return?.();
    throw tooLarge(maxBytes);
  };
  const body: AsyncIterableIterator<Uint8Array, undefined> = {
    [Symbol.asyncIterator]: () => body,
    next() {
      if (ended || chunks === undefined) return Promise.resolve(end);
      return chunks.next().then(passed, failed);
    },
    async return() {
      if (!ended) {
        ended = true;
        await chunks?.return?.();
      }
      return end;
    },
  };
  return body;
}

function brokenOff(error: unknown): ServiceError {
  const message = 'The connection ended before the whole body had arrived.';
  return new ServiceError('client-aborted', message, {}, error);
}

/** Whether an error, or what caused it, says that the peer has gone. */
function isAbort(error: unknown): boolean {
  if (error instanceof ServiceError) return false;
  for (let cause = error; typeof cause === 'object' && cause !== null;) {
    const {
      name,
      code,
      cause: next,
    } = cause as { name?: unknown; code?: unknown; cause?: unknown };
    if (abortMarks.has(name) || abortMarks.has(code)) return true;
    cause = next;
  }
  return false;
}

/**
 * Ends a body that nobody is to read. One chunk of it is read, since only a source that has begun lets go
 * of what it has opened.
 */
export async function discardBody(body: AsyncIterable<Uint8Array>): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  await chunks.next();
  await chunks.return?.();
}
