/**
 * Bodies as async iterables on the inside and web streams on the outside. Nothing is read before it
 * is asked for, so the slowest party sets the pace, and whoever stops early stops the source.
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
 * A response body that pulls from `source` one chunk at a time, without reading ahead. Cancelling it
 * returns the iterator; an error of the source becomes the error of the stream.
 */
export function streamBody(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // A pull that enqueues nothing is not repeated, so empty chunks are passed over here.
        for (;;) {
          const result = await iterator.next();
          if (result.done === true) {
            controller.close();
            return;
          }
          if (result.value.byteLength > 0) {
            controller.enqueue(result.value);
            return;
          }
        }
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

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
    if (total > maxBytes) {
      throw new ServiceError('payload-too-large', `The body is larger than ${maxBytes} bytes.`, {
        limit: 'maxBodyBytes',
        limitValue: maxBytes,
      });
    }
    yield chunk;
  }
}

/**
 * Ends a response body that nobody is to read. One chunk of it is read, since only a source that has begun
 * lets go of what it has opened.
 */
export async function discardBody(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  await reader.read();
  await reader.cancel();
}

/**
 * The chunks of a request body; none for a request without one. Stopping early cancels the stream.
 * @throws ServiceError 'client-aborted' when the connection ends first; other errors unchanged.
 */
export async function* chunksOf(
  stream: ReadableStream<Uint8Array> | null,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (stream === null) return;
  const reader = stream.getReader();
  let open = true;
  try {
    for (;;) {
      const result = await reader.read();
      if (result.done) {
        open = false;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    open = false;
    if (!isAbort(error)) throw error;
    throw new ServiceError(
      'client-aborted',
      'The connection ended before the whole body had arrived.',
      {},
      error,
    );
  } finally {
    if (open) await reader.cancel();
    reader.releaseLock();
  }
}

/** Whether an error, or what caused it, says that the peer has gone. */
function isAbort(error: unknown): boolean {
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
