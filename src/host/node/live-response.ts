/**
 * The Node response behind an answer: pacing to what the client takes, a reset when the source
 * fails, and a signal when the client has gone. Both hosts use it; `docs/architecture.md` says why the
 * Functions library cannot be left to do this.
 */
import { setMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { ServiceError } from '../../errors.js';
import { takeTurns, turnIsDue } from '../../take-turns.js';

/**
 * Resolves when the response takes more, or is closed. Other requests have their turn meanwhile, also
 * while a socket takes thousands of small chunks that are all there.
 */
export async function untilDrained(response: ServerResponse): Promise<void> {
  if (turnIsDue()) await takeTurns();
  if (!response.writableNeedDrain || response.destroyed) return;
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

/** Chunks of a body, handed out no faster than a response takes them, until its client goes. */
function pacedChunks(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
): { readonly next: () => Promise<Uint8Array | undefined>; readonly leave: () => Promise<void> } {
  const chunks = body[Symbol.asyncIterator]();
  const leave = async () => {
    response.off('close', abandon);
    await chunks.return?.();
  };
  const abandon = () => {
    leave().catch(() => undefined);
  };
  if (response.destroyed) abandon();
  else response.on('close', abandon);
  return {
    leave,
    async next() {
      if (response.writableNeedDrain || turnIsDue()) await untilDrained(response);
      for (;;) {
        const step = await chunks.next();
        if (step.done === true) {
          response.off('close', abandon);
          return undefined;
        }
        if (step.value.byteLength > 0) return step.value;
      }
    },
  };
}

/** Sends a body, which is left when the client goes. Rejects as the body does. */
export async function sendPaced(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
): Promise<void> {
  const { next } = pacedChunks(body, response);
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) response.write(chunk);
}

/**
 * A body as a web stream, handed out no faster than the response takes it. When the client goes the body
 * is left; when it fails the response is destroyed, since the status has already gone.
 */
export function pacedStream(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
): ReadableStream<Uint8Array> {
  const { next, leave } = pacedChunks(body, response);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await next();
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
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
