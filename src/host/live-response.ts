/**
 * The Node response behind an answer: pacing to what the client takes, a reset when the source
 * fails, and word of a client that has gone. Both hosts use it; `docs/architecture.md` says why the
 * Functions library cannot be left to do this.
 */
import type { ServerResponse } from 'node:http';
import { ServiceError } from '../errors.js';

/** Resolves when the response takes more, or is closed. */
export async function untilDrained(response: ServerResponse): Promise<void> {
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

/**
 * The body, handed out no faster than the response takes it. When the client goes the source is
 * cancelled; when the source fails the response is destroyed, since the status has already gone.
 */
export function paced(
  source: ReadableStream<Uint8Array>,
  response: ServerResponse,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  const abandon = () => {
    reader.cancel().catch(() => undefined);
  };
  if (response.destroyed) abandon();
  else response.once('close', abandon);
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await untilDrained(response);
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          response.destroy();
          throw error;
        }
      },
      async cancel(reason) {
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
