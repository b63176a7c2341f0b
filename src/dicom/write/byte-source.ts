/**
 * A reading position over a stream of bytes that asks for more when it needs more, so that whoever
 * writes sets the pace. Headers are looked at whole; values are handed out as views of the chunks.
 */
import { damaged } from './damaged.js';

const nothing = Buffer.alloc(0);

export class ByteSource {
  /** Bytes consumed so far, counted from where the caller started to count. */
  position: number;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private chunk: Buffer = nothing;
  private at = 0;

  constructor(source: AsyncIterable<Uint8Array>, position = 0) {
    this.chunks = source[Symbol.asyncIterator]();
    this.position = position;
  }

  /** Bytes at hand. */
  get available(): number {
    return this.chunk.length - this.at;
  }

  /** Waits until `size` bytes are at hand; `false` when the stream ends before. */
  async fill(size: number): Promise<boolean> {
    while (this.available < size) {
      const next = await this.chunks.next();
      if (next.done === true) return false;
      const { buffer, byteOffset, byteLength } = next.value;
      const more = Buffer.from(buffer, byteOffset, byteLength);
      this.chunk = this.available === 0 ? more : Buffer.concat([this.peek(this.available), more]);
      this.at = 0;
    }
    return true;
  }

  /** The next bytes, of which `fill` has made sure. */
  peek(size: number): Buffer {
    return this.chunk.subarray(this.at, this.at + size);
  }

  /** Consumes and returns bytes at hand, at most `limit`. */
  take(limit: number): Buffer {
    const run = this.peek(Math.min(limit, this.available));
    this.at += run.length;
    this.position += run.length;
    return run;
  }

  /** Consumes exactly `size` bytes, gathered. */
  async read(size: number): Promise<Buffer> {
    if (!(await this.fill(size))) throw damaged('ends early', this.position);
    return this.take(size);
  }

  /**
   * Consumes `size` bytes as they come; every run but the last has a multiple of `word` bytes. Consume
   * it to its end.
   */
  async *runs(size: number, word = 1): AsyncGenerator<Buffer, void, undefined> {
    for (let left = size; left > 0;) {
      const least = Math.min(word, left);
      if (this.available < least && !(await this.fill(least))) {
        throw damaged('ends within a value', this.position);
      }
      const whole = Math.min(left, this.available);
      const run = this.take(whole === left ? whole : whole - (whole % word));
      left -= run.length;
      yield run;
    }
  }

  /** Passes `size` bytes over. */
  async skip(size: number): Promise<void> {
    for (let left = size; left > 0;) {
      if (this.available === 0 && !(await this.fill(1))) {
        throw damaged('ends within a value', this.position);
      }
      left -= this.take(left).length;
    }
  }

  /** Consumes everything. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    while (this.available > 0 || (await this.fill(1))) yield this.take(this.available);
  }

  /** Gives the stream up. */
  async close(): Promise<void> {
    await this.chunks.return?.();
  }
}
