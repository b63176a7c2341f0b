/** Matching of dates, times and date-times: single values and ranges (PS3.4 §C.2.2.2.5). */
import type { Element } from '../../../dicom/data-set.js';
import { comparedValues, filledInstant } from '../../../dicom/normalise.js';
import { printable } from '../../../http/query-string.js';
import { nameOf, refuse, type Given, type Matcher, type Predicate } from './demand.js';
import type { SearchKey } from './search-keys.js';

function valuesOf(element: Element | undefined): readonly string[] {
  return comparedValues(element, 'significant');
}

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

export const dates: Scale = {
  what: 'Date',
  pattern: 'yyyyMMdd',
  valid: isDate,
  fill: (text) => text,
};

export const times: Scale = {
  what: 'Time',
  pattern: 'HHmmss.FFFFFF',
  valid: (text) => /^([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?)?$|^\d{6}\.\d{1,6}$/.test(text),
  fill: (text, end) => filledInstant('TM', text, end),
};

export const dateTimes: Scale = {
  what: 'DateTime',
  pattern: 'yyyyMMddHHmmss.FFFFFF',
  valid: (text) => /^\d{4}(\d\d){0,5}(\.\d{1,6})?$/.test(text),
  fill: (text, end) => filledInstant('DT', text, end),
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

/** Matching of single values and ranges on a scale. */
export function onScale(scale: Scale): Matcher {
  return (text, key) => {
    const interval = readInterval(scale, text, key);
    checkOrder(interval, key);
    const matches = (element: Element | undefined) =>
      valuesOf(element).some((stored) => isWithin(interval, scale.fill(stored, 'first')));
    const { from, to } = interval;
    const isDecided = scale === dates;
    return from !== undefined && from === to
      ? { matches, narrowing: { kind: 'values', values: [from] }, isDecided }
      : { matches, narrowing: { kind: 'interval', from, to }, isDecided };
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
      const [day] = valuesOf(elementOf(date.key.tag));
      const [hour = ''] = valuesOf(elementOf(time.key.tag));
      return day !== undefined && isWithin({ from, to }, day + times.fill(hour, 'first'));
    },
  };
}
