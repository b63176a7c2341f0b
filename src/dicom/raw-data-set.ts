/**
 * A parsed data set before interpretation: elements with their bytes as they stand in the file.
 * `part10.ts` makes it, `json.ts` and `validate.ts` read it.
 */
import type { Tag } from './tag.js';
import type { VR } from './vr.js';

export interface RawElement {
  readonly tag: Tag;
  /** As the file says, or by the dictionary in implicit VR; `UN` when neither knows. */
  readonly vr: VR;
  /** Where the value starts, in bytes from the start of the file (after inflation, when deflated). */
  readonly offset: number;
  /** Length of the value in bytes, without item and sequence delimiters of undefined length. */
  readonly length: number;
  /** The value in the byte order of the data set; absent for sequences and for bulk values left out. */
  readonly bytes?: Uint8Array;
  /** The items of a sequence; absent for every other element. */
  readonly items?: readonly RawDataSet[];
}

export interface RawDataSet {
  readonly bigEndian: boolean;
  /** In the order of the file. */
  readonly elements: readonly RawElement[];
}
