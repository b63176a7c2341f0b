/**
 * The condensed data set: what is held of a file while it streams in. It is explicit VR little endian
 * in the plainest form there is (sequences of undefined length, every other element `UN`), so that
 * nothing in it can trip dicom-parser; what the file really says stands in notes beside it.
 */
import type { ElementHeader } from './header.js';
import { limitExceeded, type Part10Limits } from './limits.js';
import { ElementNotes, type ElementNote } from './notes.js';
import { pixelDataTags, type Tag } from '../tag.js';
import { traitsOf, type VR } from '../vr.js';

type Name = Pick<ElementHeader, 'tag' | 'code'>;

const uncompressed = '1.2.840.10008.1.2.1\0';
const prologue = Buffer.concat([
  Buffer.alloc(128),
  Buffer.from('DICM\x02\0\x10\0UI', 'latin1'),
  Buffer.from([uncompressed.length, 0]),
  Buffer.from(uncompressed, 'latin1'),
]);
const firstCapacity = 4 * 1024;
/** The letters of the VRs that are written. */
const unknown = Buffer.from('UN').readUInt16BE();
const sequence = Buffer.from('SQ').readUInt16BE();

/** Longest value of a bulk VR that is held; beyond it a value is worth a read of its own. */
const heldBulkBytes = 256;

/** Whether a value is left out: pixel data always, that of icons included (see `toDataSet`). */
export function isOmitted(tag: Tag, vr: VR, length: number): boolean {
  if (length === 0) return false;
  return pixelDataTags.has(tag) || (length > heldBulkBytes && traitsOf(vr).kind === 'bulk');
}

/** The bytes that are held, and a note for each element among them. */
export class CondensedDataSet {
  /** By where the value starts in `bytes`. */
  readonly notes = new ElementNotes();
  private readonly limits: Part10Limits;
  private buffer: Buffer<ArrayBuffer>;
  private used = prologue.length;

  constructor(limits: Part10Limits) {
    this.limits = limits;
    this.buffer = Buffer.alloc(firstCapacity);
    prologue.copy(this.buffer);
  }

  /** The bytes as a Part 10 file. */
  get bytes(): Buffer<ArrayBuffer> {
    return this.buffer.subarray(0, this.used);
  }

  /** What is held takes so much memory. */
  get heldBytes(): number {
    return this.buffer.length + this.notes.bytes;
  }

  /** Starts an element of `held` bytes, which `append` must bring; returns the number of its note. */
  element(name: Name, held: number, note: ElementNote): number {
    this.check(held + 12, name.tag);
    return this.header(name, unknown, held, note);
  }

  /** Starts a sequence; returns the number of its note. */
  sequence(name: Name, note: ElementNote): number {
    return this.header(name, sequence, 0xffffffff, note);
  }

  startItem(): void {
    this.mark(0xe000, 0xffffffff);
  }

  endItem(): void {
    this.mark(0xe00d, 0);
  }

  endSequence(): void {
    this.mark(0xe0dd, 0);
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  /** The last `length` bytes appended. */
  tail(length: number): Buffer {
    return this.buffer.subarray(this.used - length, this.used);
  }

  private header(name: Name, vr: number, length: number, note: ElementNote): number {
    this.reserve(12, name.tag);
    this.used = this.buffer.writeUInt16LE(name.code >>> 16, this.used);
    this.used = this.buffer.writeUInt16LE(name.code & 0xffff, this.used);
    this.used = this.buffer.writeUInt16BE(vr, this.used);
    this.used = this.buffer.writeUInt16LE(0, this.used);
    this.used = this.buffer.writeUInt32LE(length, this.used);
    return this.notes.add(this.used, note);
  }

  private mark(element: number, length: number): void {
    this.reserve(8);
    this.used = this.buffer.writeUInt16LE(0xfffe, this.used);
    this.used = this.buffer.writeUInt16LE(element, this.used);
    this.used = this.buffer.writeUInt32LE(length, this.used);
  }

  private check(more: number, tag?: Tag): void {
    if (this.used - prologue.length + more <= this.limits.headerBytes) return;
    throw limitExceeded('headerBytes', this.limits, tag === undefined ? {} : { tag });
  }

  /** Makes room for bytes that have come; what a header announces never allocates. */
  private reserve(more: number, tag?: Tag): void {
    this.check(more, tag);
    const needed = this.used + more;
    if (needed <= this.buffer.length) return;
    const most = this.limits.headerBytes + prologue.length;
    const grown = Buffer.alloc(Math.max(needed, Math.min(most, this.buffer.length * 2)));
    this.buffer.copy(grown, 0, 0, this.used);
    this.buffer = grown;
  }
}
