/** Attribute matching (PS3.4 §C.2.2.2): what a key's value demands of an element. */
import type { DataSet, Element } from '../../../dicom/data-set.js';
import { comparedValues, normaliseText } from '../../../dicom/normalise.js';
import type { Tag } from '../../../dicom/tag.js';
import { printable } from '../../../http/query-string.js';
import { judgeElement } from '../../../storage/archive/index/query-tags.js';
import { groupBy } from '../../../group-by.js';
import {
  nameOf,
  refuse,
  type Demand,
  type Given,
  type Matcher,
  type Matching,
  type Predicate,
} from './demand.js';
import { dates, dateTimes, onScale, times } from './intervals.js';
import type { SearchKey } from './search-keys.js';
import { matchCodes, matchName, matchProse, matchText, matchUids } from './text-matching.js';

const wholeNumbers: ReadonlySet<SearchKey['vr']> = new Set(['IS', 'SL', 'SS', 'UL', 'US']);

/** @throws ServiceError `invalid-query`, of query tags in the words of the Microsoft server. */
function checkNumber(text: string, value: number, key: SearchKey): void {
  const isWhole = key.queryTag !== undefined && wholeNumbers.has(key.vr);
  const isNumber = text !== '' && Number.isFinite(value) && !(isWhole && !/^[+-]?\d+$/.test(text));
  if (isNumber) return;
  if (key.queryTag === undefined) {
    throw refuse(key, `the value of attribute '${nameOf(key)}' must be a number.`);
  }
  throw refuse(
    key,
    `specified value '${printable(text)}' extended query tag with path '${key.tag}' is not a valid ` +
      `${isWhole ? 'long' : 'double'} value.`,
  );
}

const matchNumber: Matcher = (text, key) => {
  const value = Number(text.trim());
  checkNumber(text.trim(), value, key);
  return {
    matches: (element) =>
      comparedValues(element, 'significant').some((stored) => Number(stored) === value),
    narrowing: { kind: 'values', values: [String(value)] },
  };
};

/** A number, or a range with both ends in it: `5`, `5-`, `-5`, `5-10`. */
const matchCount: Matcher = (text, key) => {
  const [, single, from, to] = /^\s*(?:(\d+)|(\d*)-(\d*))\s*$/.exec(text) ?? [];
  const isRange = single === undefined && `${from ?? ''}${to ?? ''}` !== '';
  if (single === undefined && !isRange) {
    throw refuse(
      key,
      `the value of attribute '${nameOf(key)}' must be a number, or a range of two.`,
    );
  }
  const least = Number(single ?? from ?? 0);
  const most = Number(single ?? (to === '' ? Infinity : to));
  if (least > most) {
    throw refuse(key, `the range of attribute '${nameOf(key)}' ends before it begins.`);
  }
  return {
    matches: (element) =>
      comparedValues(element, 'significant').some((stored) => {
        return Number(stored) >= least && Number(stored) <= most;
      }),
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

/** What no value meets but the lack of one (PS3.4 §C.2.2.2.7). */
const noValue: Demand = {
  matches: (element) =>
    element?.InlineBinary === undefined && comparedValues(element, 'folded').length === 0,
};

function demandOf({ key, text }: Given, matching: Matching): Demand {
  const trimmed = text.replace(/\0+$/, '');
  if (matching.emptyValues && trimmed.trim() === '""') return noValue;
  if (key.isCount === true) return matchCount(trimmed, key, matching);
  return (matchers[key.vr] ?? matchText)(trimmed, key, matching);
}

/**
 * Compiles one key of a query.
 *
 * @throws ServiceError `invalid-query` naming the attribute.
 */
function compileOne(given: Given, matching: Matching): Predicate {
  const { key } = given;
  const { matches, ...help } = demandOf(given, matching);
  const { queryTag } = key;
  if (queryTag === undefined) {
    return { key, matches: (elementOf) => matches(elementOf(key.tag)), ...help };
  }
  // What cannot be indexed is not found, whichever way is walked.
  const ofTag: Predicate['matches'] = (elementOf) => {
    const judged = judgeElement(elementOf(key.tag), queryTag);
    return matches(judged.kind === 'value' ? judged.element : undefined);
  };
  return { key, matches: ofTag, ...help };
}

/** Compiles keys of one sequence: some item has to meet them all (PS3.4 §C.2.2.2.6). */
function compileItem(first: Given, all: readonly Given[], matching: Matching): Predicate {
  const { key } = first;
  const path = key.within.slice(0, -1);
  const demands = all.map((one) => ({
    tag: one.key.within.at(-1) ?? one.key.tag,
    ...demandOf(one, matching),
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
  matching: Matching,
): readonly Predicate[] {
  const sequenceOf = ({ key: { tag, within } }: Given) => [tag, ...within.slice(0, -1)].join('.');
  const plain = given.filter(({ key }) => key.within.length === 0);
  const within = given.filter(({ key }) => key.within.length > 0);
  return [
    ...plain.map((one) => compileOne(one, matching)),
    ...[...groupBy(within, sequenceOf).values()].flatMap((all) => {
      const [first] = all;
      return first === undefined ? [] : [compileItem(first, all, matching)];
    }),
  ];
}
