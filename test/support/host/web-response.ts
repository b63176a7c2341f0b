/** An answer of a handler or of the pipeline as a web Response, for tests that read it as clients do. */
import type { Reply } from '../../../src/http/reply.js';

/** The Response with the same bytes, chunk by chunk as they are asked for. */
export function asResponse({ status, headers, body }: Reply): Response {
  if (body === undefined) return new Response(null, { status, headers });
  if (body instanceof Uint8Array) return new Response(Buffer.from(body), { status, headers });
  const chunks = body[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const step = await chunks.next();
        if (step.done === true) controller.close();
        else controller.enqueue(step.value);
      },
      async cancel() {
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { status, headers });
}
