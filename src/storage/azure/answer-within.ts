/** The time that the service has for its answer; afterwards a call counts as lost. */
import type { EventEmitter } from 'node:events';
import { forwardAbort } from './forward-abort.js';

/** What the SDKs let a step of their pipelines change. */
interface Request {
  abortSignal?: unknown;
}

/** What the SDKs answer: with a stream when the body is still to be read. */
interface Response {
  readonly readableStreamBody?: unknown;
}

function whenRead(body: unknown, done: () => void): void {
  if (body === undefined) done();
  // On Node the SDKs' streams are Node's.
  else (body as EventEmitter).once('close', done);
}

/**
 * Runs a call that is aborted when its answer has not begun in time. Reading a body that was
 * answered may take any time, and is aborted by the caller's signal alone. The SDKs have such a
 * time-out, but leave its timer running after an error, which keeps the process alive.
 */
export async function answerWithin<T extends Response>(
  milliseconds: number,
  request: Request,
  send: () => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort();
  }, milliseconds);
  const callerSignal = request.abortSignal;
  const stop = forwardAbort(
    callerSignal instanceof AbortSignal ? callerSignal : undefined,
    controller,
  );
  request.abortSignal = controller.signal;
  try {
    const response = await send();
    whenRead(response.readableStreamBody, stop);
    return response;
  } catch (error) {
    stop();
    throw error;
  } finally {
    clearTimeout(timer);
    // Another attempt has its own time. What is being read keeps the signal it was given.
    if (callerSignal === undefined) delete request.abortSignal;
    else request.abortSignal = callerSignal;
  }
}
