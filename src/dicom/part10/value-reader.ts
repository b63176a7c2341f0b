/** Reads one value at a time as its bytes stream past (PS3.5 §7.1). */
import type { ChunkCursor } from './cursor.js';
import { truncated } from './errors.js';
import { formatTag, type Tag } from '../tag.js';

interface PendingValue {
  readonly tag: Tag;
  readonly offset: number;
  readonly length: number;
  remaining: number;
  readonly write: ((bytes: Buffer) => void) | undefined;
  readonly done: (() => void) | undefined;
}

/** Hands the bytes of the value that is expected to whoever takes them; no value is gathered here. */
export class ValueReader {
  private readonly cursor: ChunkCursor;
  private pending: PendingValue | undefined;

  constructor(cursor: ChunkCursor) {
    this.cursor = cursor;
  }

  /** Whether a value is expected whose last byte has not been read. */
  get isReading(): boolean {
    return this.pending !== undefined;
  }

  /**
   * Expects a value at the position of the cursor.
   *
   * @param write - takes the bytes as they come, without keeping them; they are skipped when left out.
   * @param done - is called after the last byte.
   */
  expect(tag: Tag, length: number, write?: (bytes: Buffer) => void, done?: () => void): void {
    const offset = this.cursor.position;
    this.pending = { tag, offset, length, remaining: length, write, done };
  }

  /** Expects a value and gathers it. */
  capture(
    tag: Tag,
    length: number,
    use: (value: Buffer) => void,
    write?: (bytes: Buffer) => void,
  ): void {
    const parts: Buffer[] = [];
    this.expect(
      tag,
      length,
      (bytes) => {
        parts.push(Buffer.from(bytes));
        write?.(bytes);
      },
      () => use(Buffer.concat(parts)),
    );
  }

  /** Reads what is at hand of the value that is expected; `false` when more bytes are needed. */
  read(): boolean {
    const value = this.pending;
    if (value === undefined) return true;
    const run = this.cursor.take(value.remaining);
    if (run.length === 0 && value.remaining > 0) return false;
    value.remaining -= run.length;
    value.write?.(run);
    if (value.remaining === 0) {
      this.pending = undefined;
      value.done?.();
    }
    return true;
  }

  /**
   * Says that no more bytes come.
   *
   * @throws ServiceError when the value that is expected is not whole.
   */
  finish(): void {
    if (this.pending === undefined) return;
    const { tag, offset, length, remaining } = this.pending;
    throw truncated(
      `The value of ${formatTag(tag)} at offset ${offset} announces ${length} bytes, of which ${remaining} are missing.`,
      { tag, offset },
    );
  }
}
