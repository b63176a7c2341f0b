/** Attribute matching (PS3.4 §C.2.2.2): what a key's value demands of an element. */
import type { Element } from '../../dicom/data-set.js';
import { keywordOf } from '../../dicom/dictionary.js';
import { normaliseName, normalisedValues, normaliseText } from '../../dicom/normalise.js';
import { formatTag } from '../../dicom/tag.js';
import { ServiceError } from '../../errors.js';
import type { SearchKey } from './search-keys.js';

/** How an index can narrow the search down to candidates; values are normalised. */
export type Narrowing =
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | {
      readonly kind: 'interval';
      readonly from: string | undefined;
      readonly to: string | undefined;
    };

export interface Predicate {
  readonly key: SearchKey;
  readonly matches: (element: Element | undefined) => boolean;
  /** Absent when no index can help. */
  readonly narrowing?: Narrowing;
}

/** What a matcher makes of the text of a query. */
type Matcher = (text: string, key: SearchKey, fuzzy: boolean) => Omit<Predicate, 'key'>;

function refuse(key: SearchKey, message: string): ServiceError {
  const parameter = keywordOf(key.tag) ?? formatTag(key.tag);
  return new ServiceError('invalid-query', `Invalid query: ${message}`, { parameter });
}

function nameOf(key: SearchKey): string {
  return keywordOf(key.tag) ?? formatTag(key.tag);
}

function oneOfValues(values: readonly string[]): Omit<Predicate, 'key'> {
  const wanted = new Set(values);
  return {
    matches: (element) => normalisedValues(element).some((value) => wanted.has(value)),
    narrowing: { kind: 'values', values: [...wanted] },
  };
}

/** List of UID matching: commas and backslashes separate (PS3.18 §8.3.4.1, and what clients send). */
const matchUids: Matcher = (text) => {
  const uids = text.split(/[,\\]/).map((uid) => normaliseText(uid));
  return oneOfValues(uids.filter((uid) => uid !== ''));
};

/**
 * Whether a text matches a pattern of `*` (any characters) and `?` (one), in time proportional to
 * the product of their lengths, whatever the pattern.
 */
function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let expected = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const wanted = pattern.charAt(expected);
    if (wanted === '*') {
      star = expected++;
      resume = at;
    } else if (wanted === '?' || wanted === text.charAt(at)) {
      at++;
      expected++;
    } else if (star >= 0) {
      // The last star takes one character more.
      expected = star + 1;
      at = ++resume;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(expected));
}

function wildcard(pattern: string): Omit<Predicate, 'key'> {
  const prefix = /^[^*?]*/.exec(pattern)?.[0] ?? '';
  return {
    matches: (element) => normalisedValues(element).some((value) => matchesPattern(value, pattern)),
    ...(prefix !== '' && { narrowing: { kind: 'prefix', prefix } as const }),
  };
}

const matchText: Matcher = (text) => {
  const value = normaliseText(text);
  return /[*?]/.test(value) ? wildcard(value) : oneOfValues([value]);
};

/** Code strings hold no comma, so a comma separates values, as viewers send them. */
const matchCodes: Matcher = (text, key, fuzzy) => {
  const values = text.split(/[,\\]/).map(normaliseText);
  const [first = ''] = values;
  return values.length === 1 ? matchText(first, key, fuzzy) : oneOfValues(values);
};

function wordsOf(name: string): readonly string[] {
  return name.split(/[\^=\s,]+/).filter((word) => word !== '');
}

/** Every word of the query begins a word of the name, in any order. */
function fuzzyName(text: string): Omit<Predicate, 'key'> {
  const wanted = wordsOf(normaliseName(text));
  return {
    matches: (element) => {
      const words = normalisedValues(element).flatMap(wordsOf);
      return wanted.every((prefix) => words.some((word) => word.startsWith(prefix)));
    },
  };
}

const matchName: Matcher = (text, _key, fuzzy) => {
  if (fuzzy) return fuzzyName(text.replaceAll('*', ' '));
  const value = normaliseName(text);
  if (/[*?]/.test(value)) return wildcard(value);
  const groups = value.split('=').map(normaliseName);
  return oneOfValues(groups.filter((group) => group !== ''));
};

function isDate(text: string): boolean {
  const match = /^(\d{4})(\d\d)(\d\d)$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = match.slice(1).map(Number);
  const date = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day));
  return date.getUTCMonth() + 1 === month && date.getUTCDate() === day;
}

interface Scale {
  readonly what: string;
  readonly pattern: string;
  readonly valid: (text: string) => boolean;
  /** Fills a shortened value up, to its first or its last instant. */
  readonly fill: (text: string, end: 'first' | 'last') => string;
}

const dates: Scale = {
  what: 'Date',
  pattern: 'yyyyMMdd',
  valid: isDate,
  fill: (text) => text,
};

function filled(text: string, template: string): string {
  return text + template.slice(text.length);
}

const times: Scale = {
  what: 'Time',
  pattern: 'HHmmss.FFFFFF',
  valid: (text) => /^([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?)?$|^\d{6}\.\d{1,6}$/.test(text),
  fill: (text, end) => filled(text, end === 'first' ? '000000.000000' : '235960.999999'),
};

const dateTimes: Scale = {
  what: 'DateTime',
  pattern: 'yyyyMMddHHmmss.FFFFFF',
  valid: (text) => /^\d{4}(\d\d){0,5}(\.\d{1,6})?$/.test(text),
  fill: (text, end) =>
    filled(text, end === 'first' ? '00000101000000.000000' : '99991231235960.999999'),
};

/** Single value and range matching on dates and times, open on either side (PS3.4 §C.2.2.2.5). */
function onScale(scale: Scale): Matcher {
  return (text, key) => {
    const value = text.trim();
    const [first = '', last = first, ...more] = value.split('-').map((part) => part.trim());
    const isRange = value.includes('-');
    const ends = [first, last].filter((end) => end !== '');
    const bad = ends.find((end) => !scale.valid(end));
    if (more.length > 0 || ends.length === 0 || bad !== undefined) {
      throw refuse(
        key,
        `specified ${scale.what} value '${printable(value)}' is invalid for attribute '${nameOf(key)}'. ` +
          `${scale.what} should be valid and formatted as ${scale.pattern}.`,
      );
    }
    const from = first === '' ? undefined : scale.fill(first, 'first');
    const to = last === '' ? undefined : scale.fill(last, 'last');
    if (from !== undefined && to !== undefined && from > to) {
      throw refuse(
        key,
        `the range '${printable(value)}' of attribute '${nameOf(key)}' ends before it begins.`,
      );
    }
    const matches = (element: Element | undefined) =>
      normalisedValues(element).some((stored) => {
        const instant = scale.fill(stored, 'first');
        return (from === undefined || instant >= from) && (to === undefined || instant <= to);
      });
    if (scale !== dates) return { matches };
    const narrowing = isRange
      ? ({ kind: 'interval', from, to } as const)
      : ({ kind: 'values', values: [first] } as const);
    return { matches, narrowing };
  };
}

const matchNumber: Matcher = (text, key) => {
  const value = Number(text.trim());
  if (text.trim() === '' || !Number.isFinite(value)) {
    throw refuse(key, `the value of attribute '${nameOf(key)}' must be a number.`);
  }
  return {
    matches: (element) => normalisedValues(element).some((stored) => Number(stored) === value),
  };
};

/** Text that is safe to repeat in a message. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}

const matchers: Partial<Record<SearchKey['vr'], Matcher>> = {
  UI: matchUids,
  CS: matchCodes,
  PN: matchName,
  DA: onScale(dates),
  TM: onScale(times),
  DT: onScale(dateTimes),
  IS: matchNumber,
  DS: matchNumber,
  US: matchNumber,
  UL: matchNumber,
  SS: matchNumber,
  SL: matchNumber,
  FL: matchNumber,
  FD: matchNumber,
};

/**
 * Compiles one key of a query.
 *
 * @param text - not empty.
 * @param fuzzy - whether names match by the beginnings of their words (`fuzzymatching`).
 * @throws ServiceError `invalid-query` naming the attribute.
 */
export function compilePredicate(key: SearchKey, text: string, fuzzy: boolean): Predicate {
  const trimmed = text.replace(/\0+$/, '');
  return { key, ...(matchers[key.vr] ?? matchText)(trimmed, key, fuzzy) };
}
