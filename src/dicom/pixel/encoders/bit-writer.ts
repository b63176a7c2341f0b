/** Writes codes of any length into bytes, most significant bit first, as JPEG scans want them. */

/** A growing buffer of bits after a header. Every FF byte is followed by 00 (ISO/IEC 10918-1 §B.1.1.5). */
export class BitWriter {
  #bytes: Uint8Array;
  #end: number;
  #pending = 0;
  #pendingBits = 0;

  constructor(header: readonly number[], expectedBytes: number) {
    this.#bytes = new Uint8Array(header.length + expectedBytes + 64);
    this.#bytes.set(header);
    this.#end = header.length;
  }

  /** Appends the lowest `length` bits of a code, at most 16. */
  write(code: number, length: number): void {
    this.#pending = (this.#pending << length) | code;
    this.#pendingBits += length;
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8;
      this.#put((this.#pending >>> this.#pendingBits) & 0xff);
    }
    this.#pending &= 2 ** this.#pendingBits - 1;
  }

  /** Fills the last byte with ones and appends a marker. */
  finish(trailer: readonly number[]): Uint8Array {
    const missing = (8 - this.#pendingBits) % 8;
    this.write(2 ** missing - 1, missing);
    this.#reserve(trailer.length);
    this.#bytes.set(trailer, this.#end);
    return this.#bytes.slice(0, this.#end + trailer.length);
  }

  #put(byte: number): void {
    this.#reserve(2);
    this.#bytes[this.#end] = byte;
    this.#end += byte === 0xff ? 2 : 1;
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * this.#bytes.length + count);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
