/**
 * Walks the headers of a data set as its bytes stream past, whatever its size: holds what describes the
 * instance, skips bulk values and notes where they are, and follows nested sequences with a stack of its own
 * (PS3.5 §7).
 */
import type { ErrorFacts, ServiceError } from '../../errors.js';
import { headerAhead, isZero, isZeroAhead } from './ahead.js';
import { CondensedDataSet, isOmitted } from './condensed.js';
import { Counts } from './counts.js';
import { ChunkCursor } from './cursor.js';
import { contentOfUndefinedLength, detectEncoding, resolveVR } from './encoding.js';
import { malformed, truncated } from './errors.js';
import { bytesOfFragment, expectFragment, layoutOf } from './fragments.js';
import {
  itemDelimiterTag,
  itemTag,
  sequenceDelimiterTag,
  shortestHeader,
  undefinedLength,
  type ElementHeader,
  type Encoding,
} from './header.js';
import { IdentityWatch } from './identity.js';
import {
  fragmentsLevel,
  itemLevel,
  rootLevel,
  sequenceLevel,
  type DataSetLevel,
  type FragmentsLevel,
  type NestingLevel,
  type SequenceLevel,
} from './levels.js';
import { limitExceeded, type Part10Limits } from './limits.js';
import type { BulkValue, PixelLayout, RawIdentity, ScannedDataSet } from './scan.js';
import { ValueReader } from './value-reader.js';
import { formatTag, pixelDataTag, pixelDataTags, type Tag } from '../tag.js';
import { traitsOf, type VR } from '../vr.js';

/** Shorter text has no more values than are counted with its element. */
const countedBytes = 64;

/** Of what ends later: its length is noted then. */
const ofOpenEnd = { vrInFile: true, length: 0 };

const extendedOffsetTableTag = '7FE00001';

/** Reads one data set. `push` and `finish` throw `ServiceError` and must not be called after that. */
export class DataSetScanner {
  private readonly limits: Part10Limits;
  private readonly startsCodestream: (head: Buffer) => boolean;
  private readonly cursor: ChunkCursor;
  private readonly reader: ValueReader;
  private readonly watch = new IdentityWatch();
  private readonly condensed: CondensedDataSet;
  private readonly counts: Counts;
  private readonly root: DataSetLevel;
  private readonly stack: (DataSetLevel | SequenceLevel | FragmentsLevel)[];
  private readonly bulk: BulkValue[] = [];
  private pixels: PixelLayout | undefined;
  private extendedOffsetTable: Buffer = Buffer.alloc(0);
  private padding = false;

  /**
   * @param offset where the data set starts in the (inflated) file.
   * @param startsCodestream whether the first bytes of a fragment begin a frame.
   */
  constructor(
    encoding: Encoding,
    offset: number,
    limits: Part10Limits,
    startsCodestream: (head: Buffer) => boolean,
  ) {
    this.limits = limits;
    this.startsCodestream = startsCodestream;
    this.cursor = new ChunkCursor(offset);
    this.reader = new ValueReader(this.cursor);
    this.condensed = new CondensedDataSet(limits);
    this.counts = new Counts(limits);
    this.root = rootLevel(encoding);
    this.stack = [this.root];
  }

  /** The UIDs that have come so far. */
  get identity(): RawIdentity {
    return this.watch.uids;
  }

  /** Whether `identity` will not change any more, in a data set whose elements are in order. */
  get identityComplete(): boolean {
    return this.watch.isComplete;
  }

  /** What is held takes so much memory. */
  get heldBytes(): number {
    return this.condensed.heldBytes + this.counts.fragments * bytesOfFragment;
  }

  /** Reads the next bytes; keeps no reference to them. */
  push(chunk: Buffer): void {
    this.cursor.feed(chunk);
    while (this.step());
  }

  /** Ends the data set. */
  finish(): ScannedDataSet {
    this.reader.finish();
    this.closeEnded();
    const { position } = this.cursor;
    const rest = this.cursor.rest();
    const inRoot = (): boolean => this.stack.length === 1;
    if (rest.length > 0 && !(inRoot() && rest.length < shortestHeader && isZero(rest))) {
      throw truncated('The file ends within the header of an element.', { offset: position });
    }
    // The delimiter after the last fragment is missing in files of some writers; all data is there.
    if (this.stack.at(-1)?.kind === 'fragments') this.close(position);
    if (!inRoot()) throw truncated('The file ends within a sequence.', { offset: position });
    this.watch.end();
    return {
      condensed: this.condensed.bytes,
      notes: this.condensed.notes.columns,
      bigEndian: this.root.encoding.bigEndian,
      bulk: this.bulk,
      pixels: this.pixels,
      extendedOffsetTable: this.extendedOffsetTable,
    };
  }

  /** Goes one header or one run of bytes further; `false` when more bytes are needed. */
  private step(): boolean {
    if (this.reader.isReading) return this.reader.read();
    if (this.padding) return this.readPadding();
    this.closeEnded();
    const level = this.stack.at(-1) ?? this.root;
    if (!this.cursor.reach(shortestHeader)) return false;
    if (level === this.root && this.counts.elements > 0 && isZeroAhead(this.cursor)) {
      return (this.padding = true);
    }
    if (level.kind === 'data-set' && level.seen.size === 0) {
      const { bytes, at } = this.cursor;
      level.encoding = detectEncoding(level.encoding, bytes.subarray(at, at + shortestHeader));
    }

    const header = headerAhead(this.cursor, level.encoding);
    if (header === undefined) return false;
    if (this.cursor.position + header.size > level.bound) {
      throw malformed('A sequence or item ends within the header of an element.', this.here());
    }
    const counted = level.kind === 'fragments' ? 'fragments' : 'elements';
    this.counts.add(counted, this.cursor.position, header.tag);
    this.cursor.skip(header.size);
    if (level.kind === 'data-set') this.readInDataSet(level, header);
    else if (level.kind === 'sequence') this.readInSequence(level, header);
    else this.readInFragments(level, header);
    return true;
  }

  /** Some media writers fill the last block with nulls. */
  private readPadding(): boolean {
    const run = this.cursor.take(this.cursor.available);
    if (!isZero(run)) {
      throw malformed('There is something after the padding at the end.', this.here());
    }
    return run.length > 0;
  }

  private readInDataSet(level: DataSetLevel, header: ElementHeader): void {
    const { tag } = header;
    if (tag === itemDelimiterTag || tag === sequenceDelimiterTag) {
      this.readDelimiter(level, header);
      return;
    }
    if (tag.startsWith('FFFE')) {
      throw this.misplaced(header, 'an element');
    }
    const isRoot = level === this.root;
    if (isRoot) this.watch.pass(tag);
    // The first of duplicates is kept. File meta information is no part of the data set.
    const muted = level.muted || level.seen.has(header.code) || (isRoot && tag.startsWith('0002'));
    level.seen.add(header.code);
    const vr = resolveVR(header, level.encoding);
    if (header.length === undefinedLength) this.openUndefined(level, header, vr, muted);
    else {
      this.checkBound(level, header);
      if (vr === 'SQ') this.openSequence(level, header, level.encoding, muted);
      else this.startValue(level, header, vr, muted);
    }
  }

  private readDelimiter(level: DataSetLevel, header: ElementHeader): void {
    const sequence = this.stack.at(-2);
    // A delimiter where none is due, at the end of an item or sequence of defined length.
    if (!level.open || sequence?.kind !== 'sequence') return;
    const end = this.cursor.position - header.size;
    this.close(end);
    if (header.tag === itemDelimiterTag) return;
    if (!sequence.open) {
      throw malformed('A delimiter ends a sequence before its length does.', this.here(header));
    }
    this.close(end);
  }

  private readInSequence(level: SequenceLevel, header: ElementHeader): void {
    if (header.tag === sequenceDelimiterTag) {
      if (level.open) this.close(this.cursor.position - header.size);
      return;
    }
    if (header.tag === itemDelimiterTag) return;
    if (header.tag !== itemTag) {
      throw this.misplaced(header, `an item of ${level.path}`);
    }
    const open = header.length === undefinedLength;
    if (!open) this.checkBound(level, header);
    this.stack.push(itemLevel(level, open ? undefined : this.cursor.position + header.length));
    level.items += 1;
    if (!level.muted) this.condensed.startItem();
  }

  private readInFragments(level: FragmentsLevel, header: ElementHeader): void {
    const { tag, length } = header;
    if (tag === sequenceDelimiterTag) {
      this.close(this.cursor.position - header.size);
      return;
    }
    if (tag !== itemTag || length === undefinedLength) {
      throw this.misplaced(header, `a fragment of ${level.path}`);
    }
    this.checkBound(level, header, level.tag);
    const first = level.items === 0;
    level.items += 1;
    if (!level.listed) this.reader.expect(level.tag, length);
    else if (first) {
      this.capture(level.tag, length, (table) => {
        level.basicOffsetTable = table;
        level.offset = this.cursor.position;
      });
    } else expectFragment(this.reader, level, length, this.startsCodestream);
  }

  private startValue(level: DataSetLevel, header: ElementHeader, vr: VR, muted: boolean): void {
    const { tag, length } = header;
    const offset = this.cursor.position;
    const isRoot = level === this.root;
    if (muted) {
      this.reader.expect(tag, length);
      return;
    }
    const omitted = isOmitted(tag, vr, length);
    const { bigEndian } = level.encoding;
    const note = { vr, vrInFile: vr === header.vr, offset, length, omitted, bigEndian };
    this.condensed.element(header, omitted ? 0 : length, note);
    if (omitted) this.bulk.push({ path: level.prefix + tag, vr, offset, length });
    if (isRoot && omitted && pixelDataTags.has(tag)) {
      this.pixels ??= { kind: 'native', tag, offset, length };
    }
    if (isRoot && tag === extendedOffsetTableTag) {
      this.capture(tag, length, (table) => (this.extendedOffsetTable = table), !omitted);
    } else if (omitted) this.reader.expect(tag, length);
    else {
      const name = isRoot ? this.watch.nameOf(tag) : undefined;
      const { kind, multiValued, wordBytes } = traitsOf(vr);
      const counts = multiValued && wordBytes === 1 && length >= countedBytes;
      if (kind === 'number' || kind === 'tag') this.counts.addValues(tag, length / wordBytes);
      this.reader.expect(
        tag,
        length,
        (bytes) => {
          if (counts) this.counts.addText(tag, bytes);
          this.condensed.append(bytes);
        },
        name && (() => (this.identity[name] = this.condensed.tail(length).toString('latin1'))),
      );
    }
  }

  private openUndefined(level: DataSetLevel, header: ElementHeader, vr: VR, muted: boolean): void {
    const content = contentOfUndefinedLength(header, level.encoding);
    if (content === 'fragments') this.openFragments(level, header, vr, muted);
    else if (content !== undefined) this.openSequence(level, header, content, muted);
    else {
      throw malformed(
        `${formatTag(header.tag)} has VR ${String(header.vr)} and undefined length.`,
        this.here(header),
      );
    }
  }

  private openSequence(
    level: DataSetLevel,
    header: ElementHeader,
    encoding: Encoding,
    muted: boolean,
  ): void {
    const { tag, length } = header;
    const offset = this.cursor.position;
    const open = length === undefinedLength;
    const { bigEndian } = encoding;
    const note = { ...ofOpenEnd, vr: 'SQ', offset, omitted: false, bigEndian } as const;
    if (this.stack.length / 2 > this.limits.nestingDepth) {
      throw limitExceeded('nestingDepth', this.limits, { offset, tag });
    }
    this.stack.push(
      sequenceLevel({
        encoding,
        open,
        bound: open ? level.bound : offset + length,
        muted,
        path: level.prefix + tag,
        start: offset,
        note: muted ? undefined : this.condensed.sequence(header, note),
      }),
    );
  }

  private openFragments(
    level: DataSetLevel,
    header: ElementHeader,
    resolved: VR,
    muted: boolean,
  ): void {
    const { tag } = header;
    const offset = this.cursor.position;
    const { bigEndian, explicitVR } = level.encoding;
    // Fragments are OB (PS3.5 §A.4), which the dictionary cannot know.
    const vr = explicitVR ? resolved : 'OB';
    const note = { ...ofOpenEnd, vr, offset, omitted: true, bigEndian };
    this.stack.push(
      fragmentsLevel({
        encoding: level.encoding,
        open: true,
        bound: level.bound,
        muted,
        tag,
        path: level.prefix + tag,
        vr,
        start: offset,
        note: muted ? undefined : this.condensed.element(header, 0, note),
        listed: level === this.root && tag === pixelDataTag && !muted,
      }),
    );
  }

  /** Closes what has reached its end by length. */
  private closeEnded(): void {
    while (this.stack.length > 1 && this.cursor.position >= (this.stack.at(-1)?.bound ?? 0)) {
      this.close(this.cursor.position);
    }
  }

  /** Closes the innermost level, whose content ends at `end`. */
  private close(end: number): void {
    const level = this.stack.pop();
    if (level === undefined || level.muted) return;
    if (level.kind === 'data-set') {
      this.condensed.endItem();
      return;
    }
    const length = end - level.start;
    if (level.note !== undefined) this.condensed.notes.setLength(level.note, length);
    if (level.kind === 'sequence') this.condensed.endSequence();
    else this.endFragments(level, length);
  }

  private endFragments(level: FragmentsLevel, length: number): void {
    const { path, vr, start } = level;
    this.bulk.push({ path, vr, offset: start, length, encapsulated: true });
    if (level.listed) this.pixels ??= layoutOf(level);
  }

  /** Expects an offset table, which is kept beside the held data set and counts as part of it. */
  private capture(tag: Tag, length: number, use: (table: Buffer) => void, held = false): void {
    if (length + this.condensed.bytes.length > this.limits.headerBytes) {
      throw limitExceeded('headerBytes', this.limits, { offset: this.cursor.position, tag });
    }
    this.reader.capture(
      tag,
      length,
      use,
      held ? (bytes) => this.condensed.append(bytes) : undefined,
    );
  }

  private checkBound(level: NestingLevel, header: ElementHeader, tag: Tag = header.tag): void {
    if (this.cursor.position + header.length <= level.bound) return;
    throw malformed(
      `${formatTag(tag)} announces ${header.length} bytes, more than the sequence or item around it has.`,
      { offset: this.cursor.position, tag },
    );
  }

  private misplaced(header: ElementHeader, due: string): ServiceError {
    return malformed(`${formatTag(header.tag)} stands where ${due} should be.`, this.here(header));
  }

  private here(header?: ElementHeader): ErrorFacts {
    return header === undefined
      ? { offset: this.cursor.position }
      : { offset: this.cursor.position - header.size, tag: header.tag };
  }
}
