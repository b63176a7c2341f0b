/**
 * What a file says about each element that is held of it, in columns of numbers: a header may have
 * hundreds of thousands of elements, and an object for each would be many times as large. Columns
 * also move to another thread as they are.
 */
import { vrTable, type VR } from '../vr.js';

/** What the file says about one held element. */
export interface ElementNote {
  readonly vr: VR;
  /** Whether the file names the VR, not the dictionary. */
  readonly vrInFile: boolean;
  /** Where the value starts in the (inflated) file. */
  readonly offset: number;
  readonly length: number;
  /** The value was left out. */
  readonly omitted: boolean;
  /** Byte order of the value, or of the items of a sequence. */
  readonly bigEndian: boolean;
}

/** Notes in the order of the elements, a place in each column for each of them. */
export interface NoteColumns {
  /** Where the value of the element starts among the bytes that are held; ascending. */
  readonly positions: Uint32Array<ArrayBuffer>;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly lengths: Float64Array<ArrayBuffer>;
  /** VR and flags. */
  readonly traits: Uint16Array<ArrayBuffer>;
}

const vrs = Object.keys(vrTable) as readonly VR[];
const codes = new Map(vrs.map((vr, code) => [vr, code]));
const vrBits = 0xff;
const vrInFileBit = 0x100;
const omittedBit = 0x200;
const bigEndianBit = 0x400;

const bytesOfNote = 4 + 8 + 8 + 2;
const firstCapacity = 128;

function columnsOf(capacity: number): NoteColumns {
  return {
    positions: new Uint32Array(capacity),
    offsets: new Float64Array(capacity),
    lengths: new Float64Array(capacity),
    traits: new Uint16Array(capacity),
  };
}

function copyOf(from: NoteColumns, count: number, capacity: number): NoteColumns {
  const to = columnsOf(capacity);
  to.positions.set(from.positions.subarray(0, count));
  to.offsets.set(from.offsets.subarray(0, count));
  to.lengths.set(from.lengths.subarray(0, count));
  to.traits.set(from.traits.subarray(0, count));
  return to;
}

/** Gathers notes while a file streams in. */
export class ElementNotes {
  private held = columnsOf(firstCapacity);
  private count = 0;

  /** Bytes that the notes take. */
  get bytes(): number {
    return this.held.positions.length * bytesOfNote;
  }

  /**
   * Notes an element.
   *
   * @param position where its value starts among the bytes that are held; beyond those before.
   * @returns the number of the note.
   */
  add(position: number, note: ElementNote): number {
    const number = this.count++;
    if (number === this.held.positions.length) this.held = copyOf(this.held, number, number * 2);
    this.held.positions[number] = position;
    this.held.offsets[number] = note.offset;
    this.held.lengths[number] = note.length;
    this.held.traits[number] =
      (codes.get(note.vr) ?? 0) |
      (note.vrInFile ? vrInFileBit : 0) |
      (note.omitted ? omittedBit : 0) |
      (note.bigEndian ? bigEndianBit : 0);
    return number;
  }

  /** Notes the length of an element that had no length when it began. */
  setLength(number: number, length: number): void {
    this.held.lengths[number] = length;
  }

  /** All notes. */
  get columns(): NoteColumns {
    return copyOf(this.held, this.count, this.count);
  }
}

/** The note on the element whose value starts at `position`; `undefined` when there is none. */
export function noteAt(columns: NoteColumns, position: number): ElementNote | undefined {
  const { positions, offsets, lengths, traits } = columns;
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((positions[middle] ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  const trait = traits[low] ?? 0;
  const vr = vrs[trait & vrBits];
  if (positions[low] !== position || vr === undefined) return undefined;
  return {
    vr,
    vrInFile: (trait & vrInFileBit) !== 0,
    offset: offsets[low] ?? 0,
    length: lengths[low] ?? 0,
    omitted: (trait & omittedBit) !== 0,
    bigEndian: (trait & bigEndianBit) !== 0,
  };
}
