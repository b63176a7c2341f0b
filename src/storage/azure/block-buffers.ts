/**
 * Buffers for what is on its way to a blob, used again: streaming a large blob allocates a few of them, and
 * a small one gets a small one, since the garbage collector goes by the size of a buffer, used or not.
 */

/** Size of a block of a large blob; a body up to this size takes a single call. */
export const blockBytes = 4 * 1024 * 1024;

/** Sizes, and how many unused ones of each to keep, of the largest those of one large upload; they stay resident for good. */
const kinds = [
  { size: 256 * 1024, mostFree: 8 },
  { size: 1024 * 1024, mostFree: 8 },
  { size: blockBytes, mostFree: 4 },
] as const;

interface Kind {
  readonly size: number;
  readonly mostFree: number;
  readonly free: Uint8Array[];
}

export class BlockBuffers {
  readonly #kinds: readonly Kind[] = kinds.map((kind) => ({ ...kind, free: [] }));

  /** A buffer for so many bytes and more, `blockBytes` at most, with whatever was in it. */
  take(bytes: number): Uint8Array {
    const kind = this.#kinds.find(({ size }) => size >= bytes);
    if (kind === undefined) throw new RangeError(`A block of ${bytes} bytes`);
    return kind.free.pop() ?? Buffer.allocUnsafeSlow(kind.size);
  }

  /** A larger buffer that begins with what is in this one, which is taken back. */
  grow(buffer: Uint8Array): Uint8Array {
    const larger = this.take(buffer.length + 1);
    larger.set(buffer);
    this.give(buffer);
    return larger;
  }

  /** Takes back a buffer that nobody reads from any more. */
  give(buffer: Uint8Array): void {
    const kind = this.#kinds.find(({ size }) => size === buffer.length);
    if (kind !== undefined && kind.free.length < kind.mostFree) kind.free.push(buffer);
  }
}
