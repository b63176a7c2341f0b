/** Attribute matching (PS3.4 §C.2.2.2): what a key's value demands of an element. */
import type { DataSet, Element } from '../../dicom/data-set.js';
import { keywordOf } from '../../dicom/dictionary.js';
import { normaliseName, normalisedValues, normaliseText } from '../../dicom/normalise.js';
import { formatTag, type Tag } from '../../dicom/tag.js';
import { ServiceError } from '../../errors.js';
import { printable } from '../../http/query-string.js';
import { groupBy } from '../../group-by.js';
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

/** How to read attributes of what may match. */
export type ElementOf = (tag: Tag) => Element | undefined;

export interface Predicate {
  readonly key: SearchKey;
  readonly matches: (elementOf: ElementOf) => boolean;
  /** Absent when no index can help. */
  readonly narrowing?: Narrowing;
}

/** What the text of a key demands of an element. */
interface Demand {
  readonly matches: (element: Element | undefined) => boolean;
  readonly narrowing?: Narrowing;
}

/** How names match: exactly or by pattern, or by the beginnings of their words (`fuzzymatching`). */
export type NameMatching = 'exact' | 'any-order' | 'phrase';

/** What a matcher makes of the text of a query. */
type Matcher = (text: string, key: SearchKey, names: NameMatching) => Demand;

function refuse(key: SearchKey, message: string): ServiceError {
  const parameter = keywordOf(key.tag) ?? formatTag(key.tag);
  return new ServiceError('invalid-query', `Invalid query: ${message}`, { parameter });
}

function nameOf(key: SearchKey): string {
  return keywordOf(key.tag) ?? formatTag(key.tag);
}

function oneOfValues(values: readonly string[]): Demand {
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

function wildcard(pattern: string): Demand {
  const prefix = /^[^*?]*/.exec(pattern)?.[0] ?? '';
  return {
    matches: (element) => normalisedValues(element).some((value) => matchesPattern(value, pattern)),
    ...(prefix !== '' && { narrowing: { kind: 'prefix', prefix } as const }),
  };
}

/** Any of some values, each of which may be a pattern. */
function oneOfPatterns(texts: readonly string[]): Demand {
  const patterns = texts.filter((text) => text !== '');
  if (!patterns.some((text) => /[*?]/.test(text))) return oneOfValues(patterns);
  const demands = patterns.map(wildcard);
  const [only] = demands;
  return only !== undefined && demands.length === 1
    ? only
    : { matches: (element) => demands.some(({ matches }) => matches(element)) };
}

/** Single value, wildcard, and lists that a backslash separates, which no value holds. */
const matchText: Matcher = (text) => oneOfPatterns(text.split('\\').map(normaliseText));

/** Code strings hold no comma, so a comma separates values, as viewers send them. */
const matchCodes: Matcher = (text) => oneOfPatterns(text.split(/[,\\]/).map(normaliseText));

/** Narrative text is one value, whatever it holds. */
const matchProse: Matcher = (text) => oneOfPatterns([normaliseText(text)]);

function wordsOf(name: string): readonly string[] {
  return name.split(/[\^=\s,]+/).filter((word) => word !== '');
}

/** Every word of the query begins a word of the name, in any order. */
function anyOrder(text: string): Demand {
  const wanted = wordsOf(normaliseName(text));
  return {
    matches: (element) => {
      const words = normalisedValues(element).flatMap(wordsOf);
      return wanted.every((prefix) => words.some((word) => word.startsWith(prefix)));
    },
  };
}

/** The words of the query begin words that follow each other, as in the Microsoft server. */
function phrase(text: string): Demand {
  const wanted = wordsOf(normaliseName(text));
  return {
    matches: (element) => {
      const words = normalisedValues(element).flatMap(wordsOf);
      return words.some((_, start) =>
        wanted.every((prefix, offset) => words[start + offset]?.startsWith(prefix) === true),
      );
    },
  };
}

const matchName: Matcher = (text, key, names) => {
  if (names !== 'exact') {
    if (text.includes('"'))
      throw refuse(key, `the value of '${nameOf(key)}' must not hold quotes.`);
    const words = text.replaceAll('*', ' ');
    return names === 'phrase' ? phrase(words) : anyOrder(words);
  }
  return oneOfPatterns(text.split('=').map(normaliseName));
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

interface Interval {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/**
 * Reads a single value or a range, open on either side (PS3.4 §C.2.2.2.5).
 *
 * @throws ServiceError `invalid-query`.
 */
function readInterval(scale: Scale, text: string, key: SearchKey): Interval {
  const value = text.trim();
  const [first = '', last = first, ...more] = value.split('-').map((part) => part.trim());
  const ends = [first, last].filter((end) => end !== '');
  if (more.length > 0 || ends.length === 0 || !ends.every(scale.valid)) {
    throw refuse(
      key,
      `specified ${scale.what} value '${printable(value)}' is invalid for attribute '${nameOf(key)}'. ` +
        `${scale.what} should be valid and formatted as ${scale.pattern}.`,
    );
  }
  return {
    from: first === '' ? undefined : scale.fill(first, 'first'),
    to: last === '' ? undefined : scale.fill(last, 'last'),
  };
}

/** @throws ServiceError `invalid-query` for a range that nothing can be in. */
function checkOrder({ from, to }: Interval, key: SearchKey): void {
  if (from !== undefined && to !== undefined && from > to) {
    throw refuse(key, `the range of attribute '${nameOf(key)}' ends before it begins.`);
  }
}

function isWithin({ from, to }: Interval, instant: string): boolean {
  return (from === undefined || instant >= from) && (to === undefined || instant <= to);
}

function onScale(scale: Scale): Matcher {
  return (text, key) => {
    const interval = readInterval(scale, text, key);
    checkOrder(interval, key);
    const matches = (element: Element | undefined) =>
      normalisedValues(element).some((stored) => isWithin(interval, scale.fill(stored, 'first')));
    if (scale !== dates) return { matches };
    const { from, to } = interval;
    return from !== undefined && from === to
      ? { matches, narrowing: { kind: 'values', values: [from] } }
      : { matches, narrowing: { kind: 'interval', from, to } };
  };
}

/**
 * Dates and times that are both given as ranges are one range of instants (PS3.4 §C.2.2.2.5.4).
 *
 * @returns the demand of the time, which looks at the date too.
 */
export function combineDateAndTime(date: Given, time: Given): Predicate {
  const days = readInterval(dates, date.text, date.key);
  const hours = readInterval(times, time.text, time.key);
  const from = days.from && days.from + (hours.from ?? times.fill('', 'first'));
  const to = days.to && days.to + (hours.to ?? times.fill('', 'last'));
  // A night begins later than it ends, as long as it ends on a later day.
  checkOrder({ from, to }, time.key);
  return {
    key: time.key,
    matches: (elementOf) => {
      const [day] = normalisedValues(elementOf(date.key.tag));
      const [hour = ''] = normalisedValues(elementOf(time.key.tag));
      return day !== undefined && isWithin({ from, to }, day + times.fill(hour, 'first'));
    },
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

const matchers: Partial<Record<SearchKey['vr'], Matcher>> = {
  LT: matchProse,
  ST: matchProse,
  UT: matchProse,
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

/** Whether a key matches everything: without a value, or `*` (PS3.4 §C.2.2.2.3, §C.2.2.2.4). */
export function isUniversal({ vr }: SearchKey, text: string): boolean {
  const value = normaliseText(text);
  const matcher = matchers[vr] ?? matchText;
  const takesPatterns = [matchText, matchCodes, matchName, matchProse].includes(matcher);
  return value === '' || (takesPatterns && /^\*+$/.test(value));
}

/** The data sets at the end of a path through sequences: every item. */
function itemsAt(element: Element | undefined, path: readonly Tag[]): readonly DataSet[] {
  const items = (element?.vr === 'SQ' ? (element.Value ?? []) : []) as readonly DataSet[];
  const [next, ...rest] = path;
  return next === undefined ? items : items.flatMap((item) => itemsAt(item[next], rest));
}

/** One key of a query; its text is not empty. */
export interface Given {
  readonly key: SearchKey;
  readonly text: string;
}

function demandOf({ key, text }: Given, names: NameMatching): Demand {
  const trimmed = text.replace(/\0+$/, '');
  return (matchers[key.vr] ?? matchText)(trimmed, key, names);
}

/**
 * Compiles one key of a query.
 *
 * @throws ServiceError `invalid-query` naming the attribute.
 */
function compileOne(given: Given, names: NameMatching): Predicate {
  const { key } = given;
  const { matches, narrowing } = demandOf(given, names);
  return {
    key,
    matches: (elementOf) => matches(elementOf(key.tag)),
    ...(narrowing !== undefined && { narrowing }),
  };
}

/** Compiles keys of one sequence: some item has to meet them all (PS3.4 §C.2.2.2.6). */
function compileItem(first: Given, all: readonly Given[], names: NameMatching): Predicate {
  const { key } = first;
  const path = key.within.slice(0, -1);
  const demands = all.map((one) => ({
    tag: one.key.within.at(-1) ?? one.key.tag,
    ...demandOf(one, names),
  }));
  return {
    key,
    matches: (elementOf) =>
      itemsAt(elementOf(key.tag), path).some((item) =>
        demands.every(({ tag, matches }) => matches(item[tag])),
      ),
  };
}

/**
 * Compiles keys of a query, all of which have to match.
 *
 * @throws ServiceError `invalid-query` naming the attribute.
 */
export function compilePredicates(
  given: readonly Given[],
  names: NameMatching,
): readonly Predicate[] {
  const sequenceOf = ({ key: { tag, within } }: Given) => [tag, ...within.slice(0, -1)].join('.');
  const plain = given.filter(({ key }) => key.within.length === 0);
  const within = given.filter(({ key }) => key.within.length > 0);
  return [
    ...plain.map((one) => compileOne(one, names)),
    ...[...groupBy(within, sequenceOf).values()].flatMap((all) => {
      const [first] = all;
      return first === undefined ? [] : [compileItem(first, all, names)];
    }),
  ];
}
