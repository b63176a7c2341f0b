/** Compression as a step between async iterables. */
import { pipeline, Readable, type Transform } from 'node:stream';

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
