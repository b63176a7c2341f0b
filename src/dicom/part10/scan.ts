/** What a walk over a data set yields, before dicom-parser has read what was held of it. */
import type { NoteColumns } from './notes.js';
import type { Tag } from '../tag.js';
import type { VR } from '../vr.js';

/** A value that was left out. */
export interface BulkValue {
  /** Where it is in the data set: `7FE00010`, `54000100/0/54001010` (items counted from 0). */
  readonly path: string;
  readonly vr: VR;
  /** Where the value starts in the (inflated) file. */
  readonly offset: number;
  /** In bytes. Encapsulated: from the first item header to before the sequence delimiter. */
  readonly length: number;
  /** It is in fragments (PS3.5 §A.4): items, of which the first is an offset table. */
  readonly encapsulated?: true;
}

/** Where the pixel data of the instance itself lies. */
export type PixelLayout =
  | { readonly kind: 'native'; readonly tag: Tag; readonly offset: number; readonly length: number }
  | FragmentLayout;

/** Encapsulated pixel data as it stands, before fragments are grouped into frames. */
export interface FragmentLayout {
  readonly kind: 'encapsulated';
  /** Where the item header of the first fragment after the offset table starts. */
  readonly offset: number;
  /** Length of each fragment value. */
  readonly fragments: readonly number[];
  /** Which fragments begin with the start of a codestream, ascending. */
  readonly starts: readonly number[];
  /** Value of the Basic Offset Table: 32-bit offsets from `offset`. */
  readonly basicOffsetTable: Uint8Array;
}

export interface ScannedDataSet {
  /** What is held, as a Part 10 file; it has its memory to itself. */
  readonly condensed: Uint8Array<ArrayBuffer>;
  /** What the file says of each element in `condensed`. */
  readonly notes: NoteColumns;
  readonly bigEndian: boolean;
  readonly bulk: readonly BulkValue[];
  readonly pixels: PixelLayout | undefined;
  /** Value of (7FE0,0001): 64-bit offsets like those of the Basic Offset Table. Empty when absent. */
  readonly extendedOffsetTable: Uint8Array;
}

/** The attributes that name an instance, as they stand in the file, padding included. */
export interface RawIdentity {
  sopClass?: string;
  instance?: string;
  study?: string;
  series?: string;
}
