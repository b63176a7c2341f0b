/**
 * Matching as the conformance statement has it, written again without a thought for speed: texts become
 * regular expressions, ranges are compared as padded strings.
 */
import type { DataSet, Element, PersonName } from '../../../../src/dicom/data-set.js';

/** Thrown for queries that the statement calls 400. */
export class Refused extends Error {}

export interface NaiveKey {
  /** Tags from the outermost sequence to the attribute. */
  readonly path: readonly string[];
  readonly vr: string;
  readonly text: string;
}

/** What a whole query says of the way its keys match. */
export interface Rules {
  readonly fuzzy: 'off' | 'any-order' | 'phrase';
  readonly caseCounts: boolean;
  /** `emptyvaluematching`. */
  readonly empty: boolean;
  /** `multiplevaluematching`. */
  readonly multiple: boolean;
}

/** Without the padding that does not count. */
export function trim(text: string): string {
  return text.replace(/^ +|[ \0]+$/g, '');
}

function foldName(text: string): string {
  const plain = text.normalize('NFD').replace(/([a-z])[\u0300-\u036f]+/gi, '$1');
  return trim(plain.normalize('NFC'))
    .toLowerCase()
    .replace(/[\^ ]+$/, '');
}

function groupsOf(element: Element | undefined): string[] {
  const names = (element?.Value ?? []) as readonly PersonName[];
  return names
    .flatMap(({ Alphabetic, Ideographic, Phonetic }) => [Alphabetic, Ideographic, Phonetic])
    .map((group) => foldName(group ?? ''))
    .filter((group) => group !== '');
}

function textsOf(element: Element | undefined): string[] {
  return (element?.Value ?? [])
    .map((value) => trim(String(value as string | number)))
    .map((text) => (element?.vr === 'DA' ? text.replaceAll('.', '') : text))
    .map((text) => (element?.vr === 'TM' ? text.replaceAll(':', '') : text))
    .filter((text) => text !== '');
}

function like(pattern: string): (text: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  const expression = new RegExp(`^${source}$`);
  return (text) => expression.test(text);
}

const templates: Readonly<Record<string, readonly [first: string, last: string]>> = {
  DA: ['00000000', '99999999'],
  TM: ['000000.000000', '235960.999999'],
  DT: ['00000101000000.000000', '99991231235960.999999'],
};

function fill(vr: string, text: string, end: 0 | 1): string {
  const template = templates[vr]?.[end] ?? '';
  return text + template.slice(text.length);
}

function range(vr: string, text: string): [string | undefined, string | undefined] {
  const [from = '', to = from] = text.split('-');
  return [from === '' ? undefined : fill(vr, from, 0), to === '' ? undefined : fill(vr, to, 1)];
}

function within(stamp: string, [from, to]: readonly [string | undefined, string | undefined]) {
  return stamp >= (from ?? '') && (to === undefined || stamp <= to);
}

function checked<Range extends readonly [string | undefined, string | undefined]>(
  one: Range,
): Range {
  if (one[0] !== undefined && one[1] !== undefined && one[0] > one[1]) throw new Refused();
  return one;
}

function wordsOf(text: string): string[] {
  return text.split(/[\^=\s,]+/).filter((word) => word !== '');
}

function fuzzily(text: string, element: Element | undefined, fuzzy: Rules['fuzzy']): boolean {
  const wanted = wordsOf(foldName(text.replaceAll('*', ' ')));
  const words = [...new Set(groupsOf(element))].flatMap(wordsOf);
  const begins = (word: string | undefined, prefix: string) => word?.startsWith(prefix) === true;
  if (fuzzy === 'any-order') {
    return wanted.every((prefix) => words.some((word) => begins(word, prefix)));
  }
  return words.some((_, start) => wanted.every((prefix, n) => begins(words[start + n], prefix)));
}

function isAsked({ vr, text }: Pick<NaiveKey, 'vr' | 'text'>): boolean {
  return text.trim() !== '' && !(!(vr in templates) && /^\*+$/.test(text));
}

/** Values of a list: one of them, or all that backslashes separate. */
function listed(
  text: string,
  separators: RegExp,
  multiple: boolean,
  has: (one: string) => boolean,
): boolean {
  const isMultiple = multiple && text.includes('\\') && separators.source !== '$^';
  return isMultiple
    ? text
        .split('\\')
        .filter((one) => trim(one) !== '')
        .every(has)
    : text.split(separators).some(has);
}

function matchesValue({ vr, text }: NaiveKey, element: Element | undefined, rules: Rules): boolean {
  const { fuzzy, caseCounts, empty, multiple } = rules;
  if (empty && text === '""') {
    return (vr === 'PN' ? groupsOf(element) : textsOf(element)).length === 0;
  }
  switch (vr) {
    case 'PN':
      if (fuzzy !== 'off' && text.includes('"')) throw new Refused();
      if (fuzzy !== 'off') return fuzzily(text, element, fuzzy);
      return listed(text, /=/, multiple, (one) => groupsOf(element).some(like(foldName(one))));
    case 'DA':
    case 'TM':
    case 'DT': {
      if (text.includes('"')) throw new Refused();
      const wanted = checked(range(vr, text));
      return textsOf(element).some((stored) => within(fill(vr, stored, 0), wanted));
    }
    case 'COUNT': {
      const [, from = '', dash = '', to = ''] = /^(\d*)(-?)(\d*)$/.exec(text) ?? [];
      const most = dash === '' ? from : to;
      return (element?.Value ?? []).some(
        (stored) =>
          Number(stored) >= Number(from) && (most === '' || Number(stored) <= Number(most)),
      );
    }
    case 'IS':
    case 'DS':
      return (element?.Value ?? []).some((stored) => Number(stored) === Number(text));
    default: {
      const separators = vr === 'LT' ? /$^/ : vr === 'CS' || vr === 'UI' ? /[,\\]/ : /\\/;
      const fold = (one: string) => (caseCounts ? one : one.toLowerCase());
      return listed(text, separators, multiple && vr !== 'UI', (one) =>
        textsOf(element).some((stored) => like(fold(trim(one)))(fold(stored))),
      );
    }
  }
}

function itemsAt(dataSet: DataSet, path: readonly string[]): readonly DataSet[] {
  const [next, ...rest] = path;
  if (next === undefined) return [dataSet];
  const element = (dataSet as Readonly<Record<string, Element | undefined>>)[next];
  return ((element?.Value ?? []) as readonly DataSet[]).flatMap((one) => itemsAt(one, rest));
}

const pairs = [
  ['00080020', '00080030'],
  ['00400244', '00400245'],
] as const;

/** Whether one data set meets all keys that look at it. */
export function matchesAll(keys: readonly NaiveKey[], dataSet: DataSet, rules: Rules): boolean {
  const elements = dataSet as Readonly<Record<string, Element | undefined>>;
  let left = keys.filter(isAsked);
  const verdicts: boolean[] = [];
  for (const [dateTag, timeTag] of pairs) {
    const find = (tag: string) =>
      left.find(({ path, text }) => path.join() === tag && text.includes('-'));
    const [date, time] = [find(dateTag), find(timeTag)];
    if (date === undefined || time === undefined) continue;
    left = left.filter((key) => key !== date && key !== time);
    const [[firstDay, lastDay], [begin, end]] = [range('DA', date.text), range('TM', time.text)];
    checked(range('DA', date.text));
    const wanted = checked([
      firstDay && firstDay + (begin ?? '000000.000000'),
      lastDay && lastDay + (end ?? '235960.999999'),
    ] as const);
    const [day] = textsOf(elements[dateTag]);
    const [hour = ''] = textsOf(elements[timeTag]);
    verdicts.push(day !== undefined && within(day + fill('TM', hour, 0), wanted));
  }
  const sequences = new Set(left.map(({ path }) => path.slice(0, -1).join()));
  for (const sequence of sequences) {
    const together = left.filter(({ path }) => path.slice(0, -1).join() === sequence);
    const items = itemsAt(dataSet, sequence === '' ? [] : sequence.split(','));
    const results = items.map((one) =>
      together.map((key) =>
        matchesValue(
          key,
          (one as Readonly<Record<string, Element | undefined>>)[key.path.at(-1) ?? ''],
          rules,
        ),
      ),
    );
    verdicts.push(results.some((ones) => ones.every(Boolean)));
  }
  return verdicts.every(Boolean);
}

/** @throws Refused for a query that no data set can be asked. */
export function checkKeys(keys: readonly NaiveKey[], rules: Rules): void {
  const everything: Record<string, Element> = {};
  for (const { path, vr } of keys) {
    everything[path[0] ?? ''] = { vr: vr as Element['vr'], Value: ['0'] };
  }
  matchesAll(keys, everything, rules);
}
