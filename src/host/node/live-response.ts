/**
 * The Node response behind an answer: pacing to what the client takes, a reset when the source
 * fails, and a signal when the client has gone. Both hosts use it; `docs/architecture.md` says why the
 * Functions library cannot be left to do this.
 */
import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { ServiceError } from '../../errors.js';
import { takeTurns, turnIsDue } from '../../take-turns.js';

/** So many bytes of an answer may wait for its client: a file arrives in less, and few waits send it. */
const mostWaitingBytes = 256 * 1024;

/** Whether the client is to take some of what waits for it first. */
function isFull(response: ServerResponse): boolean {
  return response.writableNeedDrain && response.writableLength >= mostWaitingBytes;
}

/**
 * Resolves when the response takes more, or is closed. Other requests have their turn meanwhile, also
 * while a socket takes thousands of small chunks that are all there.
 */
export async function untilDrained(response: ServerResponse): Promise<void> {
  if (turnIsDue()) await takeTurns();
  if (!isFull(response) || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      // Both, or listeners pile up over a long body.
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/**
 * Fires when the client goes before it has its whole answer, or when the time of the request is over:
 * then with a ServiceError as its reason, and an answer that has begun is cut.
 *
 * @param milliseconds the time of the request; no end when left out.
 */
export function signalOf(response: ServerResponse, milliseconds?: number): AbortSignal {
  const controller = new AbortController();
  // One request asks storage for much at a time, and all of it listens to its signal.
  setMaxListeners(0, controller.signal);
  const end = () => {
    const message = 'The request took longer than the service may work on one.';
    controller.abort(new ServiceError('request-timeout', message));
    if (response.headersSent) response.destroy();
  };
  const timer = milliseconds === undefined ? undefined : setTimeout(end, milliseconds).unref();
  const settle = () => {
    clearTimeout(timer);
    if (!response.writableFinished) controller.abort();
  };
  if (response.destroyed) settle();
  else response.once('close', settle);
  return controller.signal;
}

/** Lets go of a body when its client goes; `stop` ends that when the body has come to its end. */
function leftWithClient(
  chunks: AsyncIterator<Uint8Array>,
  response: ServerResponse,
): { readonly stop: () => void; readonly leave: () => Promise<void> } {
  const stop = () => response.off('close', abandon);
  const leave = async () => {
    stop();
    await chunks.return?.();
  };
  const abandon = () => {
    leave().catch(() => undefined);
  };
  if (response.destroyed) abandon();
  else response.on('close', abandon);
  return { stop, leave };
}

/** Whether the next chunk waits: for the client, or for the turn of other requests. */
function isToWait(response: ServerResponse): boolean {
  return isFull(response) || turnIsDue();
}

/** Sends a body no faster than the response takes it; it is left when the client goes. Rejects as it does. */
export async function sendPaced(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  const { stop } = leftWithClient(chunks, response);
  for (;;) {
    if (isToWait(response)) await untilDrained(response);
    const step = await chunks.next();
    if (step.done === true) break;
    response.write(step.value);
  }
  stop();
}

/**
 * A body as a web stream, handed out no faster than the response takes it. When the client goes the body
 * is left; when it fails the response is destroyed, since the status has already gone.
 */
export function pacedStream(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
): ReadableStream<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  const { stop, leave } = leftWithClient(chunks, response);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (isToWait(response)) await untilDrained(response);
          const step = await chunks.next();
          if (step.done === true) {
            stop();
            controller.close();
          } else controller.enqueue(step.value);
        } catch (error) {
          response.destroy();
          throw error;
        }
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
}
