/** Watches a response body on its way out: how many bytes went, and how it ended. */
import { AsyncResource } from 'node:async_hooks';
import type { Outcome } from './log.js';

export interface BodyEnd {
  readonly outcome: Outcome;
  readonly bytes: number;
  /** What the source failed with, when it did. */
  readonly error?: unknown;
}

/**
 * The same bytes, chunk by chunk on demand; `onEnd` is told once, when the body has been read to its
 * end, was cancelled or failed. The source works for the request that made it, whoever reads.
 */
export function observeBody(
  body: ReadableStream<Uint8Array>,
  onEnd: (end: BodyEnd) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const read = AsyncResource.bind(async () => await reader.read());
  let bytes = 0;
  let cancelled = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await read();
          if (cancelled) return;
          if (done) {
            onEnd({ outcome: 'complete', bytes });
            controller.close();
            return;
          }
          bytes += value.byteLength;
          controller.enqueue(value);
        } catch (error) {
          if (!cancelled) onEnd({ outcome: 'failed', bytes, error });
          throw error;
        }
      },
      async cancel(reason) {
        cancelled = true;
        onEnd({ outcome: 'aborted', bytes });
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
