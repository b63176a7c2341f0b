/**
 * Frames of 1-bit pixels share bytes where their pixels do not fill whole ones (PS3.5 §8.1.1). By
 * themselves they start at the first bit of a byte, and no bit of a neighbour goes with them.
 */
import { bitsBefore, sharesBytes, type FrameIndex } from '../frames.js';

/** Moves a stream of bits so that it starts at a byte, and clears what follows its last bit. */
class BitAligner {
  readonly #shift: number;
  readonly #bits: number;
  readonly #length: number;
  #made = 0;
  #carry: number | undefined;

  /**
   * @param shift bits of the first byte that come before, 0 to 7, the least significant first.
   * @param bits how many follow.
   */
  constructor(shift: number, bits: number) {
    this.#shift = shift;
    this.#bits = bits;
    this.#length = Math.ceil(bits / 8);
  }

  /** What can be told once these bytes are there. */
  push(chunk: Uint8Array): Uint8Array {
    const made = new Uint8Array(Math.min(chunk.length, this.#length - this.#made));
    let filled = 0;
    for (const byte of chunk) {
      if (this.#carry !== undefined && this.#made < this.#length) {
        made[filled++] = this.#next(this.#carry, byte);
      }
      this.#carry = byte;
    }
    return made.subarray(0, filled);
  }

  /** The byte that ends with the last one; none when the bits ended before. */
  end(): Uint8Array {
    return this.#carry === undefined || this.#made >= this.#length
      ? new Uint8Array()
      : Uint8Array.of(this.#next(this.#carry, 0));
  }

  #next(byte: number, following: number): number {
    this.#made++;
    const left = this.#bits - (this.#made - 1) * 8;
    const mask = left >= 8 ? 0xff : 2 ** left - 1;
    return ((byte >> this.#shift) | (following << (8 - this.#shift))) & mask;
  }
}

/**
 * A stream of bits from its first bit on.
 *
 * @param source bytes, of which the first has `shift` bits of others.
 */
export async function* alignBits(
  source: AsyncIterable<Uint8Array>,
  shift: number,
  bits: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const aligner = new BitAligner(shift, bits);
  for await (const chunk of source) {
    const made = aligner.push(chunk);
    if (made.length > 0) yield made;
  }
  const last = aligner.end();
  if (last.length > 0) yield last;
}

/**
 * The payload of a frame from a byte boundary on, as `decodeFrame` takes it.
 *
 * @param bytes the frame's runs, joined (`frameRuns`).
 * @param frame counted from 1.
 */
export function alignFrame(bytes: Uint8Array, index: FrameIndex, frame: number): Uint8Array {
  if (!sharesBytes(index)) return bytes;
  const aligner = new BitAligner(bitsBefore(index, frame), index.frameBits);
  return Buffer.concat([aligner.push(bytes), aligner.end()]);
}
