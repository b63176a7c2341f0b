/** Cuts pieces out of bytes that stream by once, in ascending order of their places. */
import type { ByteRun } from '../../../dicom/frames.js';
import { ServiceError } from '../../../errors.js';
import { takeTurns, turnIsDue } from '../../../take-turns.js';

/** A reader of runs from one stream; `close` it when done. */
export class ByteCutter {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  /** Where `#rest` starts in the file. */
  #position: number;
  /** The byte before it, which frames of 1-bit pixels share with the next (PS3.5 §8.1.1). */
  #before: Uint8Array = new Uint8Array();

  /** @param position - of the first byte of the source in the file. */
  constructor(source: AsyncIterable<Uint8Array>, position: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#position = position;
  }

  /** Where the next byte lies in the file. */
  get position(): number {
    return this.#position;
  }

  /**
   * The bytes of a run, which may begin where the one before ended, later, or one byte earlier. The
   * next run is asked for when these have been read.
   *
   * @throws ServiceError `storage-corrupt` when the source ends first.
   */
  async *take({ offset, length }: ByteRun): AsyncGenerator<Uint8Array, void, undefined> {
    let missing = length;
    if (offset === this.#position - 1 && this.#before.length === 1 && missing > 0) {
      yield this.#before;
      missing -= 1;
    }
    while (this.#position < offset) await this.#next(offset - this.#position);
    while (missing > 0) {
      const bytes = await this.#next(missing);
      missing -= bytes.length;
      yield bytes;
    }
  }

  /** The bytes of a short run, in one piece. */
  async read(run: ByteRun): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.take(run)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** Up to that many bytes, and at least one. */
  async #next(most: number): Promise<Uint8Array> {
    // Thousands of pieces may lie in bytes that are there already.
    if (turnIsDue()) await takeTurns();
    while (this.#rest.length === 0) {
      const next = await this.#source.next();
      if (next.done === true) {
        throw new ServiceError('storage-corrupt', 'A stored file ends before its index says.');
      }
      this.#rest = next.value;
    }
    const bytes = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(bytes.length);
    this.#position += bytes.length;
    this.#before = bytes.subarray(-1);
    return bytes;
  }
}
