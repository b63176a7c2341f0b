/**
 * From the bytes of an element to its values in the DICOM JSON model (PS3.5 §6.2, PS3.18 §F.2.3).
 */
import {
  characterSetOf,
  decodeText,
  defaultCharacterSet,
  type CharacterSet,
} from './text/character-set.js';
import type { PersonName, Value } from './data-set.js';
import type { RawDataSet, RawElement } from './raw-data-set.js';
import { tagFrom } from './tag.js';
import { traitsOf, type VR } from './vr.js';

const specificCharacterSet = tagFrom(0x0008, 0x0005);

/** Text VRs whose leading spaces are padding too (PS3.5 §6.2); trailing ones are for all. */
const paddedInFront: ReadonlySet<VR> = new Set<VR>(['AE', 'CS', 'DS', 'IS', 'LO', 'SH']);

/**
 * The character set of a data set or item: its own, else that of the data set around it
 * (PS3.3 §C.12.1.1.2).
 */
export function characterSetWithin(
  raw: RawDataSet,
  inherited: CharacterSet = defaultCharacterSet,
): CharacterSet {
  const element = raw.elements.find(({ tag }) => tag === specificCharacterSet);
  if (element?.bytes === undefined || element.bytes.length === 0) return inherited;
  return characterSetOf(decodeText(element.bytes, defaultCharacterSet, 'CS').split('\\'));
}

/** Drops spaces at the end, and in front where they mean nothing. */
function trimSpaces(text: string, vr: VR): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === ' ') end--;
  const trimmed = text.slice(0, end);
  return paddedInFront.has(vr) ? trimmed.replace(/^ +/, '') : trimmed;
}

/** Drops padding: spaces and nulls at the end, spaces in front where they mean nothing. */
function trim(text: string, vr: VR): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\0')) end--;
  return trimSpaces(text.slice(0, end), vr);
}

/** A decimal or integer string as a number; the text itself when it is none (PS3.18 §F.2.3). */
function numberFrom(text: string, pattern: RegExp, accepts: (value: number) => boolean): Value {
  const value = Number(text);
  return pattern.test(text) && accepts(value) ? value : text;
}

const integerString = /^[+-]?\d+$/;
const decimalString = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function personName(text: string, trimmed: (group: string, vr: VR) => string): PersonName | null {
  const [alphabetic, ideographic, phonetic] = text.split('=').map((group) => trimmed(group, 'PN'));
  const name = {
    ...(alphabetic ? { Alphabetic: alphabetic } : {}),
    ...(ideographic ? { Ideographic: ideographic } : {}),
    ...(phonetic ? { Phonetic: phonetic } : {}),
  };
  return Object.keys(name).length === 0 ? null : name;
}

function textValue(text: string, vr: VR): Value {
  const trimmed = trim(text, vr);
  if (trimmed === '') return null;
  if (vr === 'PN') return personName(trimmed, trim);
  if (vr === 'IS') return numberFrom(trimmed, integerString, Number.isSafeInteger);
  if (vr === 'DS') return numberFrom(trimmed, decimalString, Number.isFinite);
  return trimmed;
}

/** JSON has no NaN and no infinities; PS3.18 §F.2.3 spells them as strings. */
function floatValue(value: number): Value {
  return Number.isFinite(value) ? value : String(value);
}

/** Integers that a double does not carry exactly become decimal strings. */
function bigValue(value: bigint): Value {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

type BinaryReader = (view: DataView, offset: number, little: boolean) => Value;

const binaryReaders: Partial<Record<VR, BinaryReader>> = {
  AT: (view, offset, little) =>
    tagFrom(view.getUint16(offset, little), view.getUint16(offset + 2, little)),
  FD: (view, offset, little) => floatValue(view.getFloat64(offset, little)),
  FL: (view, offset, little) => floatValue(view.getFloat32(offset, little)),
  SL: (view, offset, little) => view.getInt32(offset, little),
  SS: (view, offset, little) => view.getInt16(offset, little),
  SV: (view, offset, little) => bigValue(view.getBigInt64(offset, little)),
  UL: (view, offset, little) => view.getUint32(offset, little),
  US: (view, offset, little) => view.getUint16(offset, little),
  UV: (view, offset, little) => bigValue(view.getBigUint64(offset, little)),
};

function binaryValues(bytes: Uint8Array, vr: VR, read: BinaryReader, bigEndian: boolean): Value[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // An attribute tag is two words.
  const size = vr === 'AT' ? 4 : traitsOf(vr).wordBytes;
  const values: Value[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) values.push(read(view, at, !bigEndian));
  return values;
}

/** The text of each value of an element of text. */
function textsOf(bytes: Uint8Array, vr: VR, characterSet: CharacterSet): readonly string[] {
  const text = decodeText(bytes, characterSet, vr);
  return traitsOf(vr).multiValued ? text.split('\\') : [text];
}

/**
 * The values of an element of text, names, numbers or tags. Text is trimmed of its padding; an
 * empty value within several is `null`; an element that is all padding has no values. Bytes beyond
 * the last whole number are ignored.
 */
export function valuesOf(
  element: RawElement,
  bigEndian: boolean,
  characterSet: CharacterSet,
): readonly Value[] {
  const { bytes, vr } = element;
  if (bytes === undefined || bytes.length === 0) return [];
  const read = binaryReaders[vr];
  if (read !== undefined) return binaryValues(bytes, vr, read, bigEndian);
  const values = textsOf(bytes, vr, characterSet).map((text) => textValue(text, vr));
  return values.length === 1 && values[0] === null ? [] : values;
}

const decimalParts = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/;
/** Further zeros than a decimal of .NET holds come as JSON spells the number. */
const mostDigits = 28;

/**
 * A decimal string as a JSON number with every digit that it has: `+01.50` is `1.50`, and `1.50E-3`
 * is `0.00150`; `undefined` when that would be long.
 */
function allDigits(text: string): string | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = decimalParts.exec(text) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (Math.abs(point) > mostDigits || digits.length > mostDigits) return undefined;
  const all = '0'.repeat(Math.max(0, -point)) + digits.padEnd(point, '0');
  const before = all.slice(0, Math.max(0, point)).replace(/^0+(?=\d)/, '');
  const after = all.slice(Math.max(0, point));
  const number = `${before === '' ? '0' : before}${after === '' ? '' : `.${after}`}`;
  // Without a fraction it is an integer to that server, and has no negative zero.
  const isZero = after === '' && number === '0';
  return `${sign === '-' && !isZero ? '-' : ''}${number}`;
}

function isText(vr: VR): boolean {
  const { kind } = traitsOf(vr);
  return kind === 'text' || kind === 'name';
}

/** A value as its file spells it; `null` where `textValue` has it so too. */
function writtenValue(text: string, vr: VR): string | PersonName | null {
  const value = textValue(text, vr);
  if (typeof value === 'number') {
    const digits = vr === 'DS' ? allDigits(trim(text, vr)) : undefined;
    return digits === undefined || digits === String(value) ? null : digits;
  }
  const written = trimSpaces(text, vr);
  if (vr === 'UI' || !written.endsWith('\0')) return null;
  return vr === 'PN' ? personName(written, trimSpaces) : written;
}

/**
 * How an element of text spells its values, where `valuesOf` spells them otherwise: decimal strings as
 * JSON numbers with all their digits (`1.0`), other text with the nulls at its end. Nulls pad UIDs
 * (PS3.5 §6.2), of which they are never a part.
 *
 * @returns one entry for each value, `null` where both are the same; `undefined` where all are.
 */
export function writtenValuesOf(
  { bytes, vr }: RawElement,
  characterSet: CharacterSet,
): readonly (string | PersonName | null)[] | undefined {
  if (bytes === undefined || !isText(vr)) return undefined;
  // Nearly all text is done with here.
  if (vr !== 'DS' && (vr === 'UI' || !bytes.includes(0))) return undefined;
  const written = textsOf(bytes, vr, characterSet).map((text) => writtenValue(text, vr));
  return written.some((value) => value !== null) ? written : undefined;
}
