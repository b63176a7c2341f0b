/**
 * Passing an abort on by hand. `AbortSignal.any` would do the same, but Node keeps a composite signal
 * for as long as anybody listens to it, and the storage SDKs do not always take their listeners off.
 */

/**
 * Aborts `controller` when the signal fires, or at once when it has.
 *
 * @returns what ends that; call it, or whatever the signal belongs to holds on to the controller.
 */
export function forwardAbort(
  signal: AbortSignal | undefined,
  controller: AbortController,
): () => void {
  if (signal === undefined) return () => undefined;
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}
