/**
 * Interprets what a reader has held of a Part 10 file. dicom-parser is used here and nowhere else, on
 * bytes that the scanner has made safe for it (docs/decisions/0002-part10-scanner-before-dicom-parser.md).
 */
import {
  parseDicom,
  type DataSet as ParsedDataSet,
  type Element as ParsedElement,
} from 'dicom-parser';

import { signedByPixels } from '../dictionary.js';
import { indexFrames } from '../frame-index.js';
import type { FrameIndex } from '../frames.js';
import { malformed } from './errors.js';
import type { FileMeta } from './file-meta.js';
import { noteAt } from './notes.js';
import type { BulkValue, RawIdentity, ScannedDataSet } from './scan.js';
import type { RawDataSet, RawElement } from '../raw-data-set.js';
import { parseTag, type Tag } from '../tag.js';
import type { VR } from '../vr.js';

/** A file that has been read to its end: plain values, which may go to another thread. */
export interface ScannedInstance extends ScannedDataSet {
  readonly meta: FileMeta;
  /** The UIDs with the padding they have in the file. */
  readonly identity: Readonly<RawIdentity>;
  /** Bytes of the file as it came, that is before inflation. */
  readonly length: number;
}

export interface ParsedInstance {
  readonly meta: FileMeta;
  /** Every element of the data set; bulk values and pixel data are listed without their bytes. */
  readonly dataSet: RawDataSet;
  /** The values that were left out, in the order of the file. */
  readonly bulk: readonly BulkValue[];
  /** `undefined` without pixel data, or when nothing tells its frames. */
  readonly frames: FrameIndex | undefined;
  /** Bytes of the file as it came, that is before inflation. */
  readonly length: number;
}

/**
 * Makes elements of what is held of a file. It takes up to 10 µs and half a KiB of memory for an element.
 *
 * @throws ServiceError `dicom-malformed`.
 */
export function interpret(scanned: ScannedInstance): ParsedInstance {
  const { meta, bulk, pixels, extendedOffsetTable, length } = scanned;
  const dataSet = readCondensed(scanned);
  const frames = pixels && indexFrames(pixels, extendedOffsetTable, dataSet, meta.transferSyntax);
  return { meta, dataSet, bulk, frames, length };
}

/** An element whose value is looked up when it is asked for: views of bytes take more than most values. */
class HeldElement implements RawElement {
  readonly tag: Tag;
  readonly vr: VR;
  readonly offset: number;
  readonly length: number;
  private readonly held: Uint8Array;
  private readonly start: number;
  private readonly end: number;

  constructor(
    { tag, vr, offset, length }: RawElement,
    held: Uint8Array,
    range: readonly [start: number, end: number],
  ) {
    this.tag = tag;
    this.vr = vr;
    this.offset = offset;
    this.length = length;
    this.held = held;
    [this.start, this.end] = range;
  }

  get bytes(): Uint8Array {
    return this.held.subarray(this.start, this.end);
  }
}

/** Lets dicom-parser read what is held, and puts back what the file says about each element. */
function readCondensed({ condensed, notes, bigEndian }: ScannedDataSet): RawDataSet {
  const toDataSet = (parsed: ParsedDataSet, big: boolean, outerSigned: boolean): RawDataSet => {
    const signed = isSigned(parsed, big) ?? outerSigned;
    const elements: RawElement[] = [];
    for (const element of Object.values(parsed.elements)) {
      const raw = toElement(element, signed);
      if (raw !== undefined) elements.push(raw);
    }
    return { bigEndian: big, elements: elements.sort((a, b) => a.offset - b.offset) };
  };

  const toElement = (element: ParsedElement, signed: boolean): RawElement | undefined => {
    const tag = parseTag(element.tag.slice(1));
    const note = noteAt(notes, element.dataOffset);
    // Without a note: item delimiters, which dicom-parser lists, and the file meta information.
    if (tag === undefined || note === undefined) return undefined;
    const { offset, length } = note;
    const vr = signed && !note.vrInFile && signedByPixels(tag) ? 'SS' : note.vr;
    if (element.items !== undefined) {
      const items = element.items.flatMap((item) =>
        item.dataSet === undefined ? [] : [toDataSet(item.dataSet, note.bigEndian, signed)],
      );
      return { tag, vr, offset, length, items };
    }
    if (note.omitted) return { tag, vr, offset, length };
    const { dataOffset: start } = element;
    return new HeldElement({ tag, vr, offset, length }, condensed, [start, start + element.length]);
  };

  /** PixelRepresentation decides between US and SS where the file names no VR (PS3.5 §A.1). */
  const isSigned = (parsed: ParsedDataSet, big: boolean): boolean | undefined => {
    const element = parsed.elements['x00280103'];
    return element?.length === 2 ? condensed[element.dataOffset + (big ? 1 : 0)] === 1 : undefined;
  };

  // dicom-parser refuses a file that ends with its meta information.
  if (notes.positions.length === 0) return { bigEndian, elements: [] };
  try {
    return toDataSet(parseDicom(condensed), bigEndian, false);
  } catch (thrown) {
    throw malformed('The data set cannot be read.', {}, causeOf(thrown));
  }
}

/** dicom-parser throws strings and objects; the data set in the latter must not reach a log. */
function causeOf(thrown: unknown): unknown {
  const isWrapped = typeof thrown === 'object' && thrown !== null && 'exception' in thrown;
  return isWrapped ? thrown.exception : thrown;
}
