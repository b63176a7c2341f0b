/** Compares two streams while they arrive. */

/** Takes a stream by as many bytes as the other stream has at hand. */
function readerOf(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]();
  let chunk: Uint8Array = new Uint8Array();
  return {
    /** Bytes at hand, read anew when none are; empty at the end. */
    async peek(): Promise<Uint8Array> {
      while (chunk.length === 0) {
        const next = await iterator.next();
        if (next.done === true) break;
        chunk = next.value;
      }
      return chunk;
    },
    skip(count: number): void {
      chunk = chunk.subarray(count);
    },
    async close(): Promise<void> {
      await iterator.return?.();
    },
  };
}

/**
 * Whether two streams carry the same bytes, however they are cut. Holds one chunk of each, stops at
 * the first difference, and closes both.
 *
 * @throws whatever a stream throws.
 */
export async function sameBytes(
  left: AsyncIterable<Uint8Array>,
  right: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const readers = [readerOf(left), readerOf(right)] as const;
  try {
    for (;;) {
      const [one, other] = [await readers[0].peek(), await readers[1].peek()];
      const length = Math.min(one.length, other.length);
      if (length === 0) return one.length === other.length;
      if (Buffer.compare(one.subarray(0, length), other.subarray(0, length)) !== 0) return false;
      for (const reader of readers) reader.skip(length);
    }
  } finally {
    await Promise.all(readers.map(async (reader) => await reader.close()));
  }
}
