/**
 * Frames that a list names more than once are made once, and kept while the list still needs them and
 * there is room.
 */

/** Bytes that the frames of one request may take while they wait for their next turn. */
const mostHeldBytes = 32 * 1024 ** 2;

interface Kept {
  readonly bytes: Promise<Uint8Array>;
  /** Its length, once it is known. */
  held: number;
}

export class RepeatedFrames {
  /** How often a frame is still to come. */
  readonly #due = new Map<number, number>();
  readonly #kept = new Map<number, Kept>();
  readonly #most: number;
  #held = 0;

  /** @param frames the whole list. */
  constructor(frames: readonly number[], most = mostHeldBytes) {
    this.#most = most;
    for (const frame of frames) this.#due.set(frame, (this.#due.get(frame) ?? 0) + 1);
  }

  /** Whether a frame is kept, or comes again after its next turn. */
  isShared(frame: number): boolean {
    return this.#kept.has(frame) || (this.#due.get(frame) ?? 0) > 1;
  }

  /**
   * The frame at its next turn in the list.
   *
   * @param make makes it where it is not kept from the turn before; its failure is the turn's alone.
   */
  async take(frame: number, make: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const due = (this.#due.get(frame) ?? 1) - 1;
    this.#due.set(frame, due);
    const kept = this.#kept.get(frame);
    if (kept !== undefined) {
      if (due === 0) this.#forget(frame, kept);
      return await kept.bytes;
    }
    const bytes = make();
    if (due > 0) this.#keep(frame, { bytes, held: 0 });
    return await bytes;
  }

  #keep(frame: number, made: Kept): void {
    this.#kept.set(frame, made);
    made.bytes.then(
      ({ length }) => {
        if (this.#kept.get(frame) !== made) return;
        made.held = length;
        this.#held += length;
        if (this.#held > this.#most) this.#forget(frame, made);
      },
      () => this.#forget(frame, made),
    );
  }

  #forget(frame: number, made: Kept): void {
    if (this.#kept.get(frame) !== made) return;
    this.#kept.delete(frame);
    this.#held -= made.held;
  }
}
