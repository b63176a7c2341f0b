/** Builds parsed data sets (what `part10.ts` makes of a file) by hand. */
import type { RawDataSet, RawElement } from '../../../src/dicom/raw-data-set.js';
import { parseTag, type Tag } from '../../../src/dicom/tag.js';
import type { VR } from '../../../src/dicom/vr.js';

/** A tag that is known to be well spelled. */
export function tag(text: string): Tag {
  const parsed = parseTag(text);
  if (parsed === undefined) throw new Error(`${text} is no tag`);
  return parsed;
}

/** Bytes of a string whose characters are bytes. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** An element with its bytes; a string stands for the bytes of its characters. */
export function rawElement(name: string, vr: VR, value: string | Uint8Array): RawElement {
  const bytes = typeof value === 'string' ? latin1(value) : value;
  return { tag: tag(name), vr, offset: 0, length: bytes.length, bytes };
}

/** An element whose value the parser left out. */
export function leftOut(name: string, vr: VR, length: number): RawElement {
  return { tag: tag(name), vr, offset: 0, length };
}

export function rawSequence(name: string, ...items: readonly RawDataSet[]): RawElement {
  return { tag: tag(name), vr: 'SQ', offset: 0, length: 8 * items.length, items };
}

export function rawDataSet(...elements: readonly RawElement[]): RawDataSet {
  return { bigEndian: false, elements };
}

export function bigEndianDataSet(...elements: readonly RawElement[]): RawDataSet {
  return { bigEndian: true, elements };
}
