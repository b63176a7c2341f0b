/** Headers and values of data elements in little endian (PS3.5 §7.1), the byte order of every target. */
import type { Tag } from '../tag.js';
import { traitsOf, type VR } from '../vr.js';

/** The longest even value that a header with a 16-bit length can announce. */
const longestShortValue = 0xfffe;

/** The next even number: values and fragments have even lengths (PS3.5 §7.1.1). */
export function even(length: number): number {
  return length + (length % 2);
}

function start(tag: Tag, size: 8 | 12): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  bytes.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  return bytes;
}

/** The header of an item or delimiter (PS3.5 §7.5). */
export function encodeMark(tag: string, length: number): Buffer {
  const bytes = start(tag as Tag, 8);
  bytes.writeUInt32LE(length, 4);
  return bytes;
}

/**
 * The header of an element. A value too long for a 16-bit length goes as UN in explicit VR
 * (PS3.5 §6.2.2, note 5).
 *
 * @param length of the value in bytes, even, or `undefinedLength`.
 */
export function encodeHeader(tag: Tag, vr: VR, length: number, explicitVR: boolean): Buffer {
  if (!explicitVR) return encodeMark(tag, length);
  const short = !traitsOf(vr).longHeader;
  if (short && length <= longestShortValue) {
    const bytes = start(tag, 8);
    bytes.write(vr, 4, 'latin1');
    bytes.writeUInt16LE(length, 6);
    return bytes;
  }
  const bytes = start(tag, 12);
  bytes.write(short ? 'UN' : vr, 4, 'latin1');
  bytes.writeUInt32LE(length, 8);
  return bytes;
}

/** What makes a value of odd length even (PS3.5 §6.2): a space for text, else a null. */
export function paddingOf(vr: VR): Buffer {
  const { kind } = traitsOf(vr);
  const spaced = (kind === 'text' || kind === 'name') && vr !== 'UI';
  return Buffer.alloc(1, spaced ? 0x20 : 0);
}

/** A whole element, padded. */
export function encodeElement(tag: Tag, vr: VR, value: Uint8Array, explicitVR: boolean): Buffer {
  const padding = value.length % 2 === 1 ? paddingOf(vr) : Buffer.alloc(0);
  return Buffer.concat([encodeHeader(tag, vr, even(value.length), explicitVR), value, padding]);
}

/** Big-endian words in little endian; what is left of a last word stays as it is. */
export function swapped(bytes: Buffer, word: number): Buffer {
  const copy = Buffer.from(bytes);
  const whole = copy.subarray(0, copy.length - (copy.length % word));
  if (word === 2) whole.swap16();
  if (word === 4) whole.swap32();
  if (word === 8) whole.swap64();
  return copy;
}
