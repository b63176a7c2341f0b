/** Places in an order of the client's that is made of all results: a page goes on behind the last one shown. */
import { invertUlid } from '../../../storage/archive/ulid.js';
import { elementOf, type Match } from './match.js';
import type { Place } from './place.js';
import { compareSortKeys, sortKeyOf, type Ordering } from './sort-keys.js';

export interface OrderedPlace {
  /** One for each attribute of the order. */
  readonly keys: readonly (string | undefined)[];
  /** Orders those that are equal as searches do without an order: newest first, then by UID. */
  readonly made: string;
}

function orderingsOf(ordering: Ordering): readonly Ordering[] {
  return [ordering, ...(ordering.then ?? [])];
}

function madeOf(match: Match): string {
  const { study } = match;
  const parts = [invertUlid(study.created), study.study];
  if ('series' in match) parts.push(invertUlid(match.series.created), match.series.series);
  if ('instance' in match) parts.push(match.instance.instance);
  return parts.join('|');
}

/** The place of a match. */
export function orderedPlaceOf(match: Match, ordering: Ordering): OrderedPlace {
  const keys = orderingsOf(ordering).map((one) => sortKeyOf(elementOf(match, one.tag, ''), one));
  return { keys, made: madeOf(match) };
}

/** Compares places, as `sort` does. */
export function comparePlaces(a: OrderedPlace, b: OrderedPlace, ordering: Ordering): number {
  for (const [position, one] of orderingsOf(ordering).entries()) {
    const order = compareSortKeys(a.keys[position], b.keys[position], one);
    if (order !== 0) return order;
  }
  return Number(a.made > b.made) - Number(a.made < b.made);
}

/** Tell such a place from the key of a walk: in all results at once, or in the walk of an index. */
const marks = { all: 'o>', walk: 'g>' } as const;

export function spellOrderedPlace({ keys, made }: OrderedPlace, of: keyof typeof marks): string {
  return marks[of] + JSON.stringify([made, ...keys.map((key) => key ?? null)]);
}

/** Whether a page goes on in all results at once. */
export function isOfAll({ outer }: Place): boolean {
  return outer?.startsWith(marks.all) === true;
}

/** Reads what `spellOrderedPlace` has spelled; `undefined` for the key of a walk, and for no key. */
export function readOrderedPlace({ outer }: Place): OrderedPlace | undefined {
  const mark = Object.values(marks).find((one) => outer?.startsWith(one));
  if (outer === undefined || mark === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(outer.slice(mark.length));
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  const [made, ...keys] = parsed.map((one) => (typeof one === 'string' ? one : undefined));
  return made === undefined ? undefined : { keys, made };
}
