/** Huffman codes and the bits of entropy-coded segments (ITU-T T.81 §C, §F.2.2). */
import { corruptPixels } from '../pixel-errors.js';
import { byteAt, type JpegSegment } from './jpeg-header.js';

/** For each sixteen bits that a code may start: its length × 256 + its value; 0 where no code fits. */
export type HuffmanTable = Uint16Array;

/** How a table came with its codestream: spread out when a scan uses it. */
export interface HuffmanLengths {
  /** Number of codes of each length from 1 to 16. */
  readonly counts: Uint8Array;
  readonly values: Uint8Array;
}

/**
 * Reads a DHT segment into `codes`: tables 0 to 3 for DC or lossless, 16 to 19 for AC.
 *
 * @throws ServiceError `pixel-data-corrupt`
 */
export function readHuffmanCodes(
  bytes: Uint8Array,
  { start, end }: JpegSegment,
  codes: Map<number, HuffmanLengths>,
): void {
  let at = start;
  while (at < end) {
    const id = byteAt(bytes, at);
    const counts = bytes.subarray(at + 1, at + 17);
    const total = counts.reduce((sum, count) => sum + count, 0);
    at += 17 + total;
    if (at > end || total > 256) throw corruptPixels('A Huffman table of the JPEG is damaged.');
    codes.set(id, { counts, values: bytes.subarray(at - total, at) });
  }
}

/** @throws ServiceError `pixel-data-corrupt` when there are more codes than bits have room for. */
export function huffmanTable(code: HuffmanLengths | undefined): HuffmanTable {
  if (code === undefined) throw corruptPixels('The JPEG codestream lacks a Huffman table.');
  const table = new Uint16Array(65_536);
  let next = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    const span = 1 << (16 - length);
    for (let left = code.counts[length - 1] ?? 0; left > 0; left--) {
      if (next + span > table.length) throw corruptPixels('A Huffman table of the JPEG overflows.');
      table.fill((length << 8) | (code.values[index++] ?? 0), next, next + span);
      next += span;
    }
  }
  return table;
}

/** Reads the bits between two markers, without the zero bytes that are stuffed after 0xFF. */
export class EntropyReader {
  readonly #bytes: Uint8Array;
  #at: number;
  /** The bits read last, of which the lowest `#count` are still to be given out. */
  #bits = 0;
  #count = 0;
  /** Zero bits given in place of data that is not there. */
  #borrowed = 0;

  constructor(bytes: Uint8Array, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  /** Where the next marker is, or the end. */
  get position(): number {
    return this.#at;
  }

  /** One value by its code. @throws ServiceError `pixel-data-corrupt` */
  code(table: HuffmanTable): number {
    if (this.#count < 16) this.#fill();
    const entry = table[(this.#bits >>> (this.#count - 16)) & 0xffff] ?? 0;
    if (entry === 0) throw corruptPixels('The JPEG data has a code that no table has.');
    this.#take(entry >> 8);
    return entry & 0xff;
  }

  /** Up to 16 bits as a difference: the upper half of their range is positive (T.81 §F.2.2.1). */
  difference(size: number): number {
    if (size === 0) return 0;
    if (this.#count < 16) this.#fill();
    const value = (this.#bits >>> (this.#count - size)) & ((1 << size) - 1);
    this.#take(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  /**
   * Goes on behind a restart marker (T.81 §F.2.2.4).
   *
   * @throws ServiceError `pixel-data-corrupt` when another marker is there, or none.
   */
  restart(index: number): void {
    let at = this.#at;
    while (this.#bytes[at] === 0xff && this.#bytes[at + 1] === 0xff) at++;
    if (this.#bytes[at] !== 0xff || this.#bytes[at + 1] !== 0xd0 + (index & 7)) {
      throw corruptPixels('The JPEG data lacks a restart marker.');
    }
    this.#at = at + 2;
    this.#bits = 0;
    this.#count = 0;
    this.#borrowed = 0;
  }

  #take(size: number): void {
    this.#count -= size;
    if (this.#count < this.#borrowed) throw corruptPixels('The JPEG data ends early.');
  }

  #fill(): void {
    while (this.#count <= 16) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || (byte === 0xff && this.#bytes[this.#at + 1] !== 0)) {
        this.#bits <<= 8;
        this.#borrowed += 8;
      } else {
        this.#bits = (this.#bits << 8) | byte;
        this.#at += byte === 0xff ? 2 : 1;
      }
      this.#count += 8;
    }
  }
}
