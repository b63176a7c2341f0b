/**
 * Reads all keys of ranges of index rows, for those who count them: the first pages one after another, for most
 * ranges end there; the rest in stretches that are read at the same time. Where to cut nobody knows, so a
 * stretch is cut while it is read, whenever fewer are under way than may be.
 */
import { rowPages, type RowPage } from '../../row-pages.js';
import type { RowRange, TableStore } from '../../table-store.js';
import { afterRow, parseIndexRowKey, rowsOfValue } from '../keys.js';
import { invertUlid, timeOf, ulidOfTime } from '../ulid.js';

/** Pages before the first cut. */
const pagesAlone = 8;
/** Stretches that are read at the same time. */
const atOnce = 8;

interface Stretch {
  readonly range: RowRange;
  readonly pages: AsyncGenerator<RowPage, void, undefined>;
}

/** The keys of all ranges, page by page, in no order. */
export async function* keysOfRanges(
  tables: TableStore,
  ranges: readonly RowRange[],
  signal: AbortSignal,
): AsyncGenerator<readonly string[], void, undefined> {
  const stretchOf = (range: RowRange): Stretch => {
    const pages = rowPages(tables, 'searchindex', range, { select: [], signal });
    return { range, pages };
  };
  const waiting = ranges.map(stretchOf);
  const underWay = new Map<Stretch, Promise<readonly [Stretch, IteratorResult<RowPage, void>]>>();
  for (let pages = 0; ; pages++) {
    const most = pages < pagesAlone ? 1 : atOnce;
    for (const stretch of waiting.splice(0, Math.max(most - underWay.size, 0))) {
      const read = stretch.pages.next().then((page) => [stretch, page] as const);
      // One that fails when nobody waits any more.
      read.catch(() => undefined);
      underWay.set(stretch, read);
    }
    if (underWay.size === 0) return;
    const [stretch, page] = await Promise.race(underWay.values());
    underWay.delete(stretch);
    if (page.done === true) continue;
    const keys = page.value.rows.map(({ rowKey }) => rowKey);
    const lastKey = keys.at(-1);
    const idle = pages < pagesAlone ? 0 : atOnce - underWay.size - waiting.length - 1;
    if (!page.value.isLast && lastKey !== undefined) {
      const rest = idle > 0 ? cut(stretch.range, lastKey, idle + 1).map(stretchOf) : [stretch];
      waiting.push(...rest);
    }
    yield keys;
  }
}

/** What follows a row in a range, in up to so many stretches. */
function cut(range: RowRange, lastKey: string, most: number): readonly RowRange[] {
  const from = afterRow(lastKey);
  const points = pointsBetween(lastKey, range.to, most - 1).filter(
    (point) => point > from && (range.to === undefined || point < range.to),
  );
  const starts = [from, ...new Set(points)].sort();
  return starts.map((start, position) => {
    const end = starts[position + 1] ?? range.to;
    return { ...range, from: start, ...(end !== undefined && { to: end }) };
  });
}

/** Where to cut what follows a row: by the age of the rows of one value, else behind that value and between others. */
function pointsBetween(lastKey: string, to: string | undefined, count: number): readonly string[] {
  const { value, created } = parseIndexRowKey(lastKey);
  const rows = rowsOfValue(value);
  if (to === undefined || to > rows.to) {
    const end = to === undefined ? '' : parseIndexRowKey(to).value.replace(/[}~]$/, '');
    return [rows.to, ...textsBetween(value, end, count - 1)];
  }
  const newest = timeOf(created);
  const oldest =
    to === rows.to ? Math.min(firstStores, newest / 2) : timeOf(parseIndexRowKey(to).created);
  return evenly(newest, oldest, count).map((time) => rows.from + invertUlid(ulidOfTime(time)));
}

/** There was no archive before; an older row is found all the same. */
const firstStores = Date.UTC(2024, 0);

function evenly(from: number, to: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) =>
    Math.floor(from + ((to - from) * (at + 1)) / (count + 1)),
  );
}

const digits = '0123456789';
/** The characters of spelled values in their order. */
const letters = ` !,-.${digits}=ABCDEFGHIJKLMNOPQRSTUVWXYZ^_abcdefghijklmnopqrstuvwxyz`;
/** Characters that make the difference between two texts. */
const telling = 6;

/** Texts that lie evenly between two others, as if each character were a digit of a number. */
function textsBetween(from: string, to: string, count: number): readonly string[] {
  let same = 0;
  while (same < from.length && from.charAt(same) === to.charAt(same)) same++;
  const [low, high] = [from.slice(same), to.slice(same)];
  const alphabet = /^\d+$/.test(low) && /^\d*$/.test(high) ? digits : letters;
  const numberOf = (text: string, end: number) => {
    let number = 0;
    for (let at = 0; at < telling; at++) {
      const digit = at < text.length ? alphabet.indexOf(text.charAt(at)) : end;
      number = number * alphabet.length + (digit < 0 ? alphabet.length - 1 : digit);
    }
    return number;
  };
  const [first, last] = [numberOf(low, 0), numberOf(high, high === '' ? alphabet.length - 1 : 0)];
  return evenly(first, last, count).map((number) => {
    let [text, rest] = ['', number];
    for (let at = 0; at < telling; at++) {
      text = alphabet.charAt(rest % alphabet.length) + text;
      rest = Math.floor(rest / alphabet.length);
    }
    return from.slice(0, same) + text;
  });
}
