/**
 * A reading position over bytes that arrive in chunks. Headers are looked at whole even when a chunk
 * ends inside one; values are handed out as views of the chunk, never gathered.
 */

const nothing = Buffer.alloc(0);

export class ChunkCursor {
  /** Bytes consumed so far, counted from where the caller started to count. */
  position: number;
  private chunk: Buffer = nothing;
  private index = 0;
  /** The begin of a header that an earlier chunk left behind; shorter than the longest `peek`. */
  private stash: Buffer = nothing;

  constructor(position = 0) {
    this.position = position;
  }

  /** Takes the next chunk. The one before has been consumed or stashed: see `peek`. */
  feed(chunk: Buffer): void {
    this.chunk = chunk;
    this.index = 0;
  }

  /** Bytes at hand that are not consumed. */
  get available(): number {
    return this.stash.length + this.chunk.length - this.index;
  }

  /** Bytes at hand, the next of which are at `at`. There may be more than these. */
  get bytes(): Buffer {
    return this.stash.length > 0 ? this.stash : this.chunk;
  }

  get at(): number {
    return this.stash.length > 0 ? 0 : this.index;
  }

  /** Whether the next `size` bytes are among `bytes`; when they have not arrived feed the next chunk. */
  reach(size: number): boolean {
    if (this.stash.length === 0 && this.chunk.length - this.index >= size) return true;
    const missing = Math.max(0, size - this.stash.length);
    const more = this.chunk.subarray(this.index, this.index + missing);
    if (more.length > 0) this.stash = Buffer.concat([this.stash, more]);
    this.index += more.length;
    return this.stash.length >= size;
  }

  /** The next `size` bytes; `undefined` when they have not arrived. */
  peek(size: number): Buffer | undefined {
    return this.reach(size) ? this.bytes.subarray(this.at, this.at + size) : undefined;
  }

  /** Consumes bytes that have been reached. */
  skip(size: number): void {
    if (this.stash.length > 0) this.stash = this.stash.subarray(size);
    else this.index += size;
    this.position += size;
  }

  /** Consumes and returns the next bytes, at most `limit`; a view that the next chunk may overwrite. */
  take(limit: number): Buffer {
    const run = this.bytes.subarray(this.at, this.at + limit);
    this.skip(run.length);
    return run;
  }

  /** Consumes and returns everything at hand. */
  rest(): Buffer {
    return Buffer.concat([this.take(this.available), this.take(this.available)]);
  }
}
