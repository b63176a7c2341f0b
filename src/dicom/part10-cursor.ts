/**
 * A reading position over bytes that arrive in chunks. Headers are looked at whole even when a chunk
 * ends inside one; values are handed out as views of the chunk, never gathered.
 */

const nothing = Buffer.alloc(0);

export class ChunkCursor {
  /** Bytes consumed so far, counted from where the caller started to count. */
  position: number;
  private chunk: Buffer = nothing;
  private at = 0;
  /** The begin of a header that an earlier chunk left behind; shorter than the longest `peek`. */
  private stash: Buffer = nothing;

  constructor(position = 0) {
    this.position = position;
  }

  /** Takes the next chunk. The one before has been consumed or stashed: see `peek`. */
  feed(chunk: Buffer): void {
    this.chunk = chunk;
    this.at = 0;
  }

  /** Bytes at hand that are not consumed. */
  get available(): number {
    return this.stash.length + this.chunk.length - this.at;
  }

  /** The next `size` bytes; `undefined` when they have not arrived, in which case feed the next chunk. */
  peek(size: number): Buffer | undefined {
    if (this.stash.length === 0 && this.chunk.length - this.at >= size) {
      return this.chunk.subarray(this.at, this.at + size);
    }
    const wanted = Math.max(0, size - this.stash.length);
    const more = this.chunk.subarray(this.at, this.at + wanted);
    if (more.length > 0) this.stash = Buffer.concat([this.stash, more]);
    this.at += more.length;
    return this.stash.length >= size ? this.stash.subarray(0, size) : undefined;
  }

  /** Consumes bytes that `peek` has shown. */
  skip(size: number): void {
    if (this.stash.length > 0) this.stash = this.stash.subarray(size);
    else this.at += size;
    this.position += size;
  }

  /** Consumes and returns the next bytes, at most `limit`; a view that the next chunk may overwrite. */
  take(limit: number): Buffer {
    const fromStash = this.stash.length > 0;
    const source = fromStash ? this.stash : this.chunk.subarray(this.at);
    const run = source.subarray(0, limit);
    this.skip(run.length);
    return run;
  }

  /** Consumes and returns everything at hand. */
  rest(): Buffer {
    return Buffer.concat([this.take(this.available), this.take(this.available)]);
  }
}
