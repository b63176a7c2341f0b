/**
 * Reads a Part 10 file as it streams in (PS3.10 §7): holds its header, skips its bulk values, indexes
 * its frames. dicom-parser is used here and nowhere else, on bytes that the scanner has made safe
 * for it (docs/decisions/0002-part10-scanner-before-dicom-parser.md).
 */
import {
  parseDicom,
  type DataSet as ParsedDataSet,
  type Element as ParsedElement,
} from 'dicom-parser';

import { takeTurns } from '../take-turns.js';
import { signedByPixels } from './dictionary.js';
import { codestreamStart, indexFrames } from './frame-index.js';
import type { FrameIndex } from './frames.js';
import type { CondensedDataSet } from './part10-condensed.js';
import { malformed } from './part10-errors.js';
import { FileMetaReader, type FileMeta } from './part10-file-meta.js';
import { Inflater } from './part10-inflater.js';
import { defaultPart10Limits, type Part10Limits } from './part10-limits.js';
import type { BulkValue, RawIdentity } from './part10-scan.js';
import { DataSetScanner } from './part10-scanner.js';
import type { RawDataSet, RawElement } from './raw-data-set.js';
import { parseTag } from './tag.js';

export { defaultPart10Limits };
export type { BulkValue, FileMeta, Part10Limits, RawIdentity };

export interface ParsedInstance {
  readonly meta: FileMeta;
  /** Every element of the data set; bulk values and pixel data are listed without their bytes. */
  readonly dataSet: RawDataSet;
  /** The values that were left out, in the order of the file. */
  readonly bulk: readonly BulkValue[];
  /** `undefined` without pixel data, or when nothing tells its frames. */
  readonly frames: FrameIndex | undefined;
  /** Bytes of it that are held: a measure of the work that it is to go through all elements. */
  readonly heldBytes: number;
  /** Bytes of the file as it came, that is before inflation. */
  readonly length: number;
}

/**
 * Reads one file. Feed it with `push`, whatever the chunks, and await each; then `finish`.
 * Both throw `ServiceError` `not-dicom` | `dicom-malformed` | `dicom-truncated` |
 * `dicom-limit-exceeded`; after that, and when the file is given up early, the reader is just dropped.
 *
 * Offsets in a deflated file count as if the data set were inflated in its place.
 */
export class Part10Reader {
  private readonly limits: Part10Limits;
  private readonly fileMeta: FileMetaReader;
  private scanner: DataSetScanner | undefined;
  private inflater: Inflater | undefined;
  private length = 0;
  private passed: Readonly<RawIdentity> = {};
  private ended = false;

  constructor(limits: Part10Limits = defaultPart10Limits) {
    this.limits = limits;
    this.fileMeta = new FileMetaReader(limits);
  }

  /** UIDs of the instance as far as they have passed, with the padding they have in the file. */
  get identity(): Readonly<RawIdentity> {
    return this.scanner?.identity ?? this.passed;
  }

  /** Whether every UID has passed, or the place where it would have been. */
  get identityComplete(): boolean {
    return this.scanner?.identityComplete ?? this.ended;
  }

  /** Bytes of the data set that are held so far: a measure of the work that `finish` is. */
  get heldBytes(): number {
    return this.scanner?.heldBytes ?? 0;
  }

  /** What the file meta information says, once it has passed. */
  get meta(): FileMeta | undefined {
    return this.fileMeta.meta;
  }

  /** Reads the next bytes; keeps no reference to them once it has settled. */
  async push(chunk: Uint8Array): Promise<void> {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.length += bytes.length;
    if (this.scanner !== undefined) {
      await this.pushDataSet(this.scanner, bytes);
      return;
    }
    const rest = this.fileMeta.push(bytes);
    if (rest !== undefined) await this.pushDataSet(this.startDataSet(), rest);
  }

  /** Ends the file. */
  async finish(): Promise<ParsedInstance> {
    if (this.scanner === undefined) this.fileMeta.finish();
    const scanner = this.scanner ?? this.startDataSet();
    await this.inflater?.finish();
    const { condensed, bigEndian, bulk, pixels, extendedOffsetTable } = scanner.finish();
    // Whoever keeps the reader for its identity does not keep the header.
    this.passed = scanner.identity;
    this.ended = true;
    this.scanner = undefined;
    this.inflater = undefined;
    const meta = this.knownMeta();
    const heldBytes = condensed.bytes.length;
    await takeTurns(heldBytes);
    const dataSet = readCondensed(condensed, bigEndian);
    await takeTurns(heldBytes);
    return {
      meta,
      dataSet,
      heldBytes,
      bulk,
      frames: pixels && indexFrames(pixels, extendedOffsetTable, dataSet, meta.transferSyntax),
      length: this.length,
    };
  }

  private startDataSet(): DataSetScanner {
    const { transferSyntax } = this.knownMeta();
    const scanner = new DataSetScanner(
      transferSyntax,
      this.fileMeta.end,
      this.limits,
      codestreamStart(transferSyntax.frameMediaType),
    );
    if (transferSyntax.deflated) {
      this.inflater = new Inflater(this.limits, (bytes) => scanner.push(bytes));
    }
    this.scanner = scanner;
    return scanner;
  }

  private async pushDataSet(scanner: DataSetScanner, bytes: Buffer): Promise<void> {
    if (this.inflater === undefined) scanner.push(bytes);
    else await this.inflater.push(bytes);
  }

  private knownMeta(): FileMeta {
    const { meta } = this.fileMeta;
    if (meta === undefined) throw malformed('The file has no meta information.', {});
    return meta;
  }
}

/** Reads a file that is in memory. */
export async function parsePart10(
  bytes: Uint8Array,
  limits: Part10Limits = defaultPart10Limits,
): Promise<ParsedInstance> {
  const reader = new Part10Reader(limits);
  await reader.push(bytes);
  return await reader.finish();
}

/** Lets dicom-parser read what is held, and puts back what the file says about each element. */
function readCondensed(condensed: CondensedDataSet, bigEndian: boolean): RawDataSet {
  const { bytes, notes } = condensed;

  const toDataSet = (parsed: ParsedDataSet, big: boolean, outerSigned: boolean): RawDataSet => {
    const signed = isSigned(parsed, big) ?? outerSigned;
    const elements = Object.values(parsed.elements)
      .flatMap((element) => toElement(element, signed) ?? [])
      .sort((a, b) => a.offset - b.offset);
    return { bigEndian: big, elements };
  };

  const toElement = (element: ParsedElement, signed: boolean): RawElement | undefined => {
    const tag = parseTag(element.tag.slice(1));
    const note = notes.get(element.dataOffset);
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
    const end = element.dataOffset + element.length;
    return { tag, vr, offset, length, bytes: bytes.subarray(element.dataOffset, end) };
  };

  /** PixelRepresentation decides between US and SS where the file names no VR (PS3.5 §A.1). */
  const isSigned = (parsed: ParsedDataSet, big: boolean): boolean | undefined => {
    const element = parsed.elements['x00280103'];
    return element?.length === 2 ? bytes[element.dataOffset + (big ? 1 : 0)] === 1 : undefined;
  };

  // dicom-parser refuses a file that ends with its meta information.
  if (notes.size === 0) return { bigEndian, elements: [] };
  try {
    return toDataSet(parseDicom(bytes), bigEndian, false);
  } catch (thrown) {
    throw malformed('The data set cannot be read.', {}, causeOf(thrown));
  }
}

/** dicom-parser throws strings and objects; the data set in the latter must not reach a log. */
function causeOf(thrown: unknown): unknown {
  const isWrapped = typeof thrown === 'object' && thrown !== null && 'exception' in thrown;
  return isWrapped ? thrown.exception : thrown;
}
