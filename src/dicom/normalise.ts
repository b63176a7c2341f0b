/**
 * The forms in which values are indexed and compared (PS3.4 §C.2.2.2.1). What an index holds is folded
 * further than any comparison folds: letter case and every mark that combines. So an index never misses
 * what matches, and whoever reads it compares the values themselves.
 */
import type { Element, PersonName, Value } from './data-set.js';

/** Drops the padding that PS3.5 §6.2 calls insignificant. */
export function withoutPadding(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[ \0]+$/, '')
    .replace(/^ +/, '');
}

/** Folds case and drops padding. */
export function normaliseText(text: string): string {
  return withoutPadding(text.normalize('NFC').toLowerCase());
}

function withoutEmptyComponents(name: string): string {
  return name.replace(/[\^ ]+$/, '');
}

/** Folds case and accents; empty trailing components do not count (PS3.5 §6.2.1.1). */
export function normaliseName(name: string): string {
  return withoutEmptyComponents(normaliseText(name.normalize('NFD').replace(/\p{Mn}/gu, '')));
}

/** How texts other than names are compared. */
export type LetterCase = 'significant' | 'folded';

/** The letter sigma has two small forms, and which of them is written depends on what follows. */
function foldCase(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}

/** The form in which a text is compared: without padding (PS3.5 §6.2), case folded where it says nothing. */
export function comparedText(text: string, letterCase: LetterCase): string {
  const plain = withoutPadding(text);
  return letterCase === 'significant' ? plain : foldCase(plain);
}

/**
 * The form in which a component group of a name is compared: case and the diacritics of Latin letters
 * fold. The breve of й, a voicing mark of kana and a vowel of Thai make other letters, and stay.
 */
export function comparedName(name: string): string {
  const plain = name.normalize('NFD').replace(/(\p{Script=Latin})\p{Mn}+/gu, '$1');
  return withoutEmptyComponents(foldCase(withoutPadding(plain)));
}

function isPersonName(value: Value): value is PersonName {
  return typeof value === 'object' && value !== null;
}

/** Dates and times as they were spelled before DICOM 3.0 (PS3.5 §6.2). */
function modernised(vr: Element['vr'], text: string): string {
  if (vr === 'DA') return text.replace(/^(\d{4})\.(\d\d)\.(\d\d)(?=[ \0]*$)/, '$1$2$3');
  if (vr === 'TM') return text.replace(/^(\d\d):(\d\d)(?::(?=\d\d))?/, '$1$2');
  return text;
}

/** The first and the last instant of a day and of all time, to which shortened values are filled up. */
const instants = {
  TM: { first: '000000.000000', last: '235960.999999' },
  DT: { first: '00000101000000.000000', last: '99991231235960.999999' },
} as const;

/** Fills a shortened time or date-time up, to its first or its last instant (PS3.5 §6.2). */
export function filledInstant(vr: 'TM' | 'DT', text: string, end: 'first' | 'last'): string {
  return text + instants[vr][end].slice(text.length);
}

const numeric: ReadonlySet<Element['vr']> = new Set<Element['vr']>(['IS', 'DS']);

/** The text under which a value is indexed: numbers and times have one spelling each. */
function indexedText(vr: Element['vr'], text: string): string {
  const plain = normaliseText(text);
  if (plain === '') return '';
  if (vr === 'TM' || vr === 'DT') return filledInstant(vr, plain, 'first');
  const number = numeric.has(vr) ? Number(plain) : Number.NaN;
  return Number.isFinite(number) ? String(number) : plain;
}

function spelledValues(
  element: Element | undefined,
  ofText: (text: string) => string,
  ofName: (group: string) => string,
): readonly string[] {
  const texts: string[] = [];
  for (const value of element?.Value ?? []) {
    if (element?.vr === 'PN' && isPersonName(value)) {
      for (const group of [value.Alphabetic, value.Ideographic, value.Phonetic]) {
        if (group !== undefined) texts.push(ofName(group));
      }
    } else if (typeof value === 'string')
      texts.push(ofText(modernised(element?.vr ?? 'UN', value)));
    else if (typeof value === 'number') texts.push(String(value));
  }
  return [...new Set(texts)].filter((text) => text !== '');
}

/** The texts of an element as they are indexed: one per value, for names one per component group. */
export function normalisedValues(element: Element | undefined): readonly string[] {
  const vr = element?.vr ?? 'UN';
  return spelledValues(element, (text) => indexedText(vr, text), normaliseName);
}

/** The texts of an element as they are compared: one per value, for names one per component group. */
export function comparedValues(
  element: Element | undefined,
  letterCase: LetterCase,
): readonly string[] {
  return spelledValues(element, (text) => comparedText(text, letterCase), comparedName);
}
