/** Where in the nesting of a data set a walk over it is: one record for each level that is open. */
import type { Encoding } from './header.js';
import type { Tag } from '../tag.js';
import type { VR } from '../vr.js';

export interface NestingLevel {
  readonly encoding: Encoding;
  /** Whether a delimiter ends this level, not a length. */
  readonly open: boolean;
  /** Where this level must have ended: its own end, or that of a level around it. */
  readonly bound: number;
  /** Content that is read past and not kept: a duplicate. */
  readonly muted: boolean;
}

export interface DataSetLevel extends Omit<NestingLevel, 'encoding'> {
  readonly kind: 'data-set';
  encoding: Encoding;
  /** Path of the item with a slash at its end; empty for the data set of the file. */
  readonly prefix: string;
  /** Codes of the tags that have come. */
  readonly seen: Set<number>;
}

export interface SequenceLevel extends NestingLevel {
  readonly kind: 'sequence';
  readonly path: string;
  /** Where its value starts in the file. */
  readonly start: number;
  /** Number of its note; `undefined` when it is muted. */
  readonly note: number | undefined;
  items: number;
}

export interface FragmentsLevel extends NestingLevel {
  readonly kind: 'fragments';
  readonly tag: Tag;
  readonly path: string;
  readonly vr: VR;
  /** Where its value starts in the file. */
  readonly start: number;
  /** Number of its note; `undefined` when it is muted. */
  readonly note: number | undefined;
  /** Whether these are the fragments of the pixel data of the instance itself. */
  readonly listed: boolean;
  items: number;
  /** Where the fragments after the offset table start. */
  offset: number;
  basicOffsetTable: Buffer;
  readonly fragments: number[];
  readonly starts: number[];
}

/** The level of a whole file, which its end closes. */
export function rootLevel(encoding: Encoding): DataSetLevel {
  return {
    kind: 'data-set',
    encoding,
    open: true,
    bound: Infinity,
    muted: false,
    prefix: '',
    seen: new Set(),
  };
}

/** The level of an item; without an `end` a delimiter closes it. */
export function itemLevel(sequence: SequenceLevel, end: number | undefined): DataSetLevel {
  return {
    kind: 'data-set',
    encoding: sequence.encoding,
    open: end === undefined,
    bound: end ?? sequence.bound,
    muted: sequence.muted,
    prefix: `${sequence.path}/${sequence.items}/`,
    seen: new Set(),
  };
}

/** What is known of a sequence, or of fragments, when their header has been read. */
interface Opening extends NestingLevel {
  readonly path: string;
  readonly start: number;
  readonly note: number | undefined;
}

/** The level of a sequence, before its first item. */
export function sequenceLevel(opening: Opening): SequenceLevel {
  return { kind: 'sequence', ...opening, items: 0 };
}

/** The level of encapsulated pixel data, before its offset table. */
export function fragmentsLevel(
  opening: Opening & Pick<FragmentsLevel, 'tag' | 'vr' | 'listed'>,
): FragmentsLevel {
  return {
    kind: 'fragments',
    ...opening,
    items: 0,
    offset: opening.start,
    basicOffsetTable: Buffer.alloc(0),
    fragments: [],
    starts: [],
  };
}
