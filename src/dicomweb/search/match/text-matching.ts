/** Matching of texts, codes, names and UIDs: whole values, patterns, lists and words of names. */
import type { Element } from '../../../dicom/data-set.js';
import {
  comparedName,
  comparedText,
  comparedValues,
  normaliseName,
  normaliseText,
} from '../../../dicom/normalise.js';
import { encodeValue, isWholeValue } from '../../../storage/archive/keys.js';
import { beginningOfEndings } from '../../../storage/archive/index/word-index.js';
import { nameOf, refuse, type Demand, type Matcher, type Matching } from './demand.js';
import { compilePattern, mostPatternCharacters } from './pattern.js';
import type { SearchKey } from './search-keys.js';

/** In which form values are compared, and in which an index holds them. */
interface Spelling {
  readonly key: SearchKey;
  readonly compared: (text: string) => string;
  readonly indexed: (text: string) => string;
  readonly valuesOf: (element: Element | undefined) => readonly string[];
  /** Whether plain texts that an index holds alike compare alike with a text. */
  readonly isDecided: (text: string) => boolean;
}

/** Whether a value or its beginning is of ASCII, and so short that an index holds it whole. */
export function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text) && isWholeValue(encodeValue(text));
}

function hasNoCase(text: string): boolean {
  return text.toLowerCase() === text.toUpperCase();
}

function spellingOf(key: SearchKey, { letterCase }: Matching): Spelling {
  return {
    key,
    compared: (text) => comparedText(text, letterCase),
    indexed: normaliseText,
    valuesOf: (element) => comparedValues(element, letterCase),
    isDecided: (text) => letterCase === 'folded' || hasNoCase(text),
  };
}

/** Code strings are capitals (PS3.5 §6.2): one that is stored in small letters is found by either. */
function spellingOfCodes(key: SearchKey, matching: Matching): Spelling {
  const { valuesOf, isDecided, ...spelling } = spellingOf(key, matching);
  return {
    ...spelling,
    valuesOf: (element) => valuesOf(element).flatMap((value) => [value, value.toUpperCase()]),
    isDecided: (text) => isDecided(text) || text === text.toUpperCase(),
  };
}

function spellingOfNames(key: SearchKey, { letterCase }: Matching): Spelling {
  return {
    key,
    compared: comparedName,
    indexed: normaliseName,
    valuesOf: (element) => comparedValues(element, letterCase),
    isDecided: () => true,
  };
}

function oneOfValues(texts: readonly string[], spelling: Spelling): Demand {
  const { compared, indexed, valuesOf } = spelling;
  const wanted = new Set(texts.map(compared));
  const values = [...new Set(texts.map(indexed))];
  const narrowing = narrowingTo(values);
  return {
    matches: (element) => valuesOf(element).some((value) => wanted.has(value)),
    ...(narrowing !== undefined && { narrowing }),
    isDecided: texts.every((text) => isPlain(text) && spelling.isDecided(text)),
    ...(values.length === 1 && partOf(values)),
  };
}

/** Both forms of a sigma are equal where values are compared, and differ in an index. */
function narrowingTo(values: readonly string[]): Demand['narrowing'] {
  if (!values.some((value) => /[σς]/u.test(value))) return { kind: 'values', values };
  const [prefix] = values.map(beforeSigma);
  const isOne = values.length === 1 && prefix !== undefined && prefix !== '';
  return isOne ? { kind: 'prefix', prefix } : undefined;
}

/** The sigma has two small forms, and which of them is written depends on what follows. */
function beforeSigma(text: string): string {
  return text.replace(/[σς].*$/su, '');
}

/**
 * What the longest of some texts, all of which a value holds, says of the endings of its words.
 *
 * @param texts - normalised.
 */
function partOf(texts: readonly string[]): Pick<Demand, 'part'> {
  const [part] = texts
    .map((text) => beginningOfEndings(beforeSigma(text)))
    .filter((one) => one !== undefined)
    .sort((a, b) => b.length - a.length);
  return part === undefined ? {} : { part };
}

/** List of UID matching: commas and backslashes separate (PS3.18 §8.3.4.1, and what clients send). */
export const matchUids: Matcher = (text, key, matching) => {
  const uids = text.split(/[,\\]/).filter((uid) => normaliseText(uid) !== '');
  return oneOfValues(uids, spellingOf(key, matching));
};

/** @throws ServiceError `invalid-query` for a pattern that is too long. */
function checkLength(text: string, key: SearchKey): void {
  if (text.length <= mostPatternCharacters) return;
  throw refuse(
    key,
    `the pattern of '${nameOf(key)}' has more than ${mostPatternCharacters} characters.`,
  );
}

function wildcard(text: string, spelling: Spelling): Demand {
  checkLength(text, spelling.key);
  const matchesPattern = compilePattern(spelling.compared(text));
  const texts = spelling.indexed(text).split(/[*?]+/);
  const prefix = beforeSigma(texts[0] ?? '');
  return {
    matches: (element) => spelling.valuesOf(element).some(matchesPattern),
    ...(prefix !== '' && { narrowing: { kind: 'prefix', prefix } as const }),
    isDecided: /^[^*?]+\*$/.test(text) && isPlain(text) && spelling.isDecided(text),
    ...partOf(texts),
  };
}

/** Any of some values, each of which may be a pattern. */
function oneOfPatterns(texts: readonly string[], spelling: Spelling): Demand {
  const patterns = texts.filter((text) => spelling.compared(text) !== '');
  if (!patterns.some((text) => /[*?]/.test(text))) return oneOfValues(patterns, spelling);
  const demands = patterns.map((text) => wildcard(text, spelling));
  const [only] = demands;
  return only !== undefined && demands.length === 1
    ? only
    : { matches: (element) => demands.some(({ matches }) => matches(element)) };
}

/** Every value, each of which may be a pattern, has to be among those of the element. */
function allPatterns(texts: readonly string[], spelling: Spelling): Demand {
  const demands = texts
    .filter((text) => spelling.compared(text) !== '')
    .map((text) => oneOfPatterns([text], spelling));
  const [first] = demands;
  const matches: Demand['matches'] = (element) => demands.every((one) => one.matches(element));
  return { ...first, matches, isDecided: false };
}

/** One of the values that a separator separates; of those that a backslash does all, where that is asked. */
function listOf(text: string, separator: RegExp, spelling: Spelling, matching: Matching): Demand {
  return matching.multipleValues && text.includes('\\')
    ? allPatterns(text.split('\\'), spelling)
    : oneOfPatterns(text.split(separator), spelling);
}

/** Single value, wildcard, and lists that a backslash separates, which no value holds. */
export const matchText: Matcher = (text, key, matching) =>
  listOf(text, /\\/, spellingOf(key, matching), matching);

/** Code strings hold no comma, so a comma separates values, as viewers send them. */
export const matchCodes: Matcher = (text, key, matching) =>
  listOf(text, /[,\\]/, spellingOfCodes(key, matching), matching);

/** Narrative text is one value, whatever it holds. */
export const matchProse: Matcher = (text, key, matching) =>
  oneOfPatterns([text], spellingOf(key, matching));

function wordsOf(name: string): readonly string[] {
  return name.split(/[\^=\s,]+/).filter((word) => word !== '');
}

/** Every word of the query begins a word of the name, in any order. */
function anyOrder(wanted: readonly string[], { valuesOf }: Spelling): Pick<Demand, 'matches'> {
  return {
    matches: (element) => {
      const words = valuesOf(element).flatMap(wordsOf);
      return wanted.every((prefix) => words.some((word) => word.startsWith(prefix)));
    },
  };
}

/** The words of the query begin words that follow each other, as in the Microsoft server. */
function phrase(wanted: readonly string[], { valuesOf }: Spelling): Pick<Demand, 'matches'> {
  return {
    matches: (element) => {
      const words = valuesOf(element).flatMap(wordsOf);
      return words.some((_, start) =>
        wanted.every((prefix, offset) => words[start + offset]?.startsWith(prefix) === true),
      );
    },
  };
}

/** Names, by component group, or by their words (`fuzzymatching`). */
export const matchName: Matcher = (text, key, matching) => {
  const spelling = spellingOfNames(key, matching);
  if (matching.names === 'exact') return listOf(text, /=/, spelling, matching);
  if (text.includes('"')) throw refuse(key, `the value of '${nameOf(key)}' must not hold quotes.`);
  checkLength(text, key);
  const words = text.replaceAll('*', ' ');
  const wanted = wordsOf(spelling.compared(words));
  return {
    ...(matching.names === 'phrase' ? phrase(wanted, spelling) : anyOrder(wanted, spelling)),
    ...partOf(wordsOf(spelling.indexed(words))),
  };
};
