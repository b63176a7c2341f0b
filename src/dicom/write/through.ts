/** Compression as a step between async iterables. */
import { pipeline, Readable, type Transform } from 'node:stream';
import { createDeflateRaw } from 'node:zlib';

/**
 * What `transform` makes of the source. An error of either ends it; stopping early ends both.
 */
export async function* through(
  source: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Buffer, void, undefined> {
  // The error, if any, reaches the loop below by way of `transform`.
  pipeline(Readable.from(source), transform, () => undefined);
  try {
    yield* transform as AsyncIterable<Buffer>;
  } finally {
    transform.destroy();
  }
}

/** A deflated data set, padded to an even length (PS3.5 §A.5). */
export async function* deflated(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const chunk of through(source, createDeflateRaw())) {
    length += chunk.length;
    yield chunk;
  }
  if (length % 2 === 1) yield Buffer.alloc(1);
}
