/**
 * The index of words: for every word of a value, the endings of it that have three letters and more, each
 * with what follows in the value. Whatever part of a value is sought, it is the beginning of one of them.
 * The rows follow from the values that a record says are indexed, and are written and removed with them.
 */
import { attribute } from '../../../dicom/attribute.js';
import type { Tag } from '../../../dicom/tag.js';
import { decodeValue, encodeValue, isWholeValue, type Level } from '../keys.js';

/** Attributes whose words are indexed, and for how many endings of one value there is room. */
const wordAttributes: Readonly<Record<Level, ReadonlyMap<Tag, number>>> = {
  study: roomFor({
    PatientName: 14,
    PatientID: 8,
    AccessionNumber: 8,
    ReferringPhysicianName: 10,
    StudyDescription: 15,
  }),
  series: roomFor({ SeriesDescription: 18 }),
  instance: new Map(),
};

function roomFor(endings: Readonly<Record<string, number>>): ReadonlyMap<Tag, number> {
  return new Map(Object.entries(endings).map(([keyword, most]) => [attribute(keyword), most]));
}

/** Whether parts of the values of an attribute can be sought. */
export function hasWords(level: Level, tag: Tag): boolean {
  return wordAttributes[level].has(tag);
}

const onlyWords: ReadonlySet<Tag> = new Set([attribute('SeriesDescription')]);

/** Whether an attribute has no rows but those of its words: its values are found by how they begin. */
export function hasOnlyWords(level: Level, tag: Tag): boolean {
  return level === 'series' && onlyWords.has(tag);
}

/** Attributes in whose order studies can be walked both ways. */
const orderAttributes: ReadonlySet<Tag> = new Set(
  ['PatientName', 'PatientID', 'AccessionNumber', 'StudyDate', 'ModalitiesInStudy'].map(attribute),
);

/** Whether a level can be walked in the order of the values of an attribute, and against it. */
export function hasOrder(level: Level, tag: Tag): boolean {
  return level === 'study' && orderAttributes.has(tag);
}

/** The characters of spelled values in their order. */
const alphabet = [
  ...' !,-.0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ^_abcdefghijklmnopqrstuvwxyz'.split(''),
];
const opposite = new Map(alphabet.map((one, at) => [one, alphabet.at(-1 - at) ?? one]));

/** Begins what walks against the order; after every ending, before `anyEnding`. */
export const againstOrder = '}';
/** After every character: of two values, of which one begins the other, the longer comes first. */
const endOfValue = '~';

/** A value, spelled so that its order is turned round. */
export function turnedRound(value: string): string {
  return againstOrder + value.replace(/./gsu, (one) => opposite.get(one) ?? one) + endOfValue;
}

/** What the keys of all rows for a value begin with: its endings, and itself turned round. */
export function wordRowsOf(level: Level, tag: Tag, value: string): readonly string[] {
  const endings = endingsOf(level, tag, value).map((ending) => endingOfValue(ending, value));
  return hasOrder(level, tag) ? [...endings, turnedRound(value)] : endings;
}

/** The ending of a value whose own endings have no room: whatever is sought, it may be in there. */
export const anyEnding = '~';

/**
 * An ending as the row of one value has it. Values of one write may end alike (`doe^ann`, `roe^ann`); the
 * mark keeps their rows apart, so that those of one can go while the other stays.
 */
export function endingOfValue(ending: string, value: string): string {
  return ending + beforeMark + markOf(value);
}

/** After every character of an ending, and before what ends a range of beginnings. */
const beforeMark = '{';

/** Five characters that tell values apart (FNV-1a). */
function markOf(value: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < value.length; at++) {
    hash = Math.imul(hash ^ value.charCodeAt(at), 0x01000193);
  }
  return (hash >>> 0).toString(36).padStart(7, '0').slice(-5);
}

/** Characters of an ending, spelled as in keys. */
const endingCharacters = 64;

/** Letters and digits, and the marks that belong to them; halves of characters beyond the first plane. */
const inWord = /[\p{L}\p{N}\p{M}\ud800-\udfff]/u;
/** Scripts in which one letter says as much as three of the others. */
const dense = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** Whether an ending begins at a character of a text. */
function isStart(text: string, at: number): boolean {
  const within = (position: number) => inWord.test(text.charAt(position));
  return dense.test(text.charAt(at)) || (within(at) && within(at + 1) && within(at + 2));
}

function spelled(text: string): string {
  return encodeValue(text).slice(0, endingCharacters);
}

/**
 * The endings of a value of an attribute, spelled as in keys and in their order; `anyEnding` alone for a
 * value that has more than there is room for, or that its key does not hold whole.
 *
 * @param value - as `encodeValue` spells it.
 */
export function endingsOf(level: Level, tag: Tag, value: string): readonly string[] {
  const room = wordAttributes[level].get(tag);
  if (room === undefined) return [];
  if (!isWholeValue(value)) return [anyEnding];
  const text = decodeValue(value);
  const endings = new Set<string>();
  for (let at = 0; at < text.length; at++) {
    if (isStart(text, at)) endings.add(spelled(text.slice(at)));
  }
  return endings.size > room ? [anyEnding] : [...endings].sort();
}

/**
 * With what an ending begins in every value that holds a text; `undefined` where the text has no three
 * letters in a row.
 *
 * @param text - normalised, part of a value.
 */
export function beginningOfEndings(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    if (isStart(text, at)) return spelled(text.slice(at));
  }
  return undefined;
}
