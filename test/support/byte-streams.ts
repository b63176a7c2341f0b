/** Bytes as streams in tests: any chunking in, everything out, and a record of what was pulled. */

/** The bytes of a string of characters U+0000 to U+00FF. */
export function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Yields `data` in chunks of the given sizes, then of the last size given, or whole. */
export async function* chunked(
  data: Uint8Array,
  sizes: readonly number[] = [],
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  for (let index = 0; at < data.length; index++) {
    await Promise.resolve();
    const size = sizes[index] ?? sizes.at(-1) ?? data.length;
    yield data.subarray(at, at + size);
    at += size;
  }
}

/** All bytes of a stream. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A source that counts what was asked of it. */
export interface WatchedSource extends AsyncIterable<Uint8Array> {
  readonly pulled: () => number;
  readonly returned: () => boolean;
}

/** Yields the chunks, then ends or fails with `failure`. */
export function watched(chunks: readonly Uint8Array[], failure?: Error): WatchedSource {
  let pulled = 0;
  let returned = false;
  const iterator: AsyncIterator<Uint8Array> = {
    next: () => {
      const value = chunks[pulled++];
      if (value !== undefined) return Promise.resolve({ done: false, value });
      return failure ? Promise.reject(failure) : Promise.resolve({ done: true, value: undefined });
    },
    return: () => {
      returned = true;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return {
    pulled: () => pulled,
    returned: () => returned,
    [Symbol.asyncIterator]: () => iterator,
  };
}
