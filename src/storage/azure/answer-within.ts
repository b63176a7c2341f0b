/** The time that the service has for its answer; afterwards a call counts as lost. */

/** What both SDKs let a step of their pipelines change. */
interface Request {
  abortSignal?: unknown;
}

/**
 * Runs a call that is aborted when its answer has not begun in time. Reading a body that was
 * answered may take any time. The SDKs have such a time-out, but leave its timer running after an
 * error, which keeps the process alive.
 */
export async function answerWithin<T>(
  milliseconds: number,
  request: Request,
  send: () => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort();
  }, milliseconds);
  const callerSignal = request.abortSignal;
  request.abortSignal =
    callerSignal instanceof AbortSignal
      ? AbortSignal.any([callerSignal, controller.signal])
      : controller.signal;
  try {
    return await send();
  } finally {
    clearTimeout(timer);
    // Another attempt has its own time. What is being read keeps the signal it was given.
    if (callerSignal === undefined) delete request.abortSignal;
    else request.abortSignal = callerSignal;
  }
}
