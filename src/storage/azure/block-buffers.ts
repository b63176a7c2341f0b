/** Buffers of one block each, used again, so that streaming a large blob allocates a few of them. */

/** Size of a block of a large blob; a body up to this size takes a single call. */
export const blockBytes = 4 * 1024 * 1024;

/** Unused buffers to keep: those of one large upload. They stay resident for good. */
const mostFree = 4;

export class BlockBuffers {
  readonly #free: Uint8Array[] = [];

  /** A buffer of `blockBytes`, with whatever was in it. */
  take(): Uint8Array {
    // Memory that is never touched is never resident: a small body costs its own size.
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(blockBytes);
  }

  /** Takes back a buffer that nobody reads from any more. */
  give(buffer: Uint8Array): void {
    if (this.#free.length < mostFree) this.#free.push(buffer);
  }
}
