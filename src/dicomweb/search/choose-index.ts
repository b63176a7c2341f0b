/** Chooses the most selective index that a search can use. */
import { indexedAttributes, type IndexedAttribute } from '../../storage/archive/attributes.js';
import type { Level } from '../../storage/archive/keys.js';
import { indexedValue, isSought, type SoughtValues } from '../../storage/archive/search-index.js';
import type { Indexes } from '../../storage/archive/records.js';
import type { Ulid } from '../../storage/archive/ulid.js';
import type { Narrowing } from './demand.js';
import type { Predicate } from './matching.js';
import type { OrderedHit } from './walk.js';

export interface ChosenIndex {
  readonly attribute: IndexedAttribute;
  /** Walked together, newest first, when there are several. */
  readonly sought: readonly SoughtValues[];
  readonly rank: number;
}

/** What a wider narrowing costs, in steps of the ranks of attributes. */
const narrowingRanks = { values: 0, prefix: 1, interval: 2 } as const;

function soughtIn(narrowing: Narrowing): readonly SoughtValues[] {
  if (narrowing.kind !== 'values') return [narrowing];
  return narrowing.values.map((value) => ({ kind: 'value', value }));
}

/** The most selective index that any predicate of the level can use. */
export function chooseIndex(
  predicates: readonly Predicate[],
  level: Level,
): ChosenIndex | undefined {
  const usable = predicates.flatMap(({ key, narrowing }): ChosenIndex[] => {
    const attribute = indexedAttributes.find((one) => one.level === level && one.tag === key.tag);
    if (attribute === undefined || narrowing === undefined) return [];
    const rank = attribute.rank + narrowingRanks[narrowing.kind];
    return [{ attribute, sought: soughtIn(narrowing), rank }];
  });
  return usable.sort((a, b) => a.rank - b.rank)[0];
}

/**
 * Whether a record confirms what a walk has met, which is but a hint. What a walk meets under several
 * values counts once, under the first of them in the order of the walk.
 */
export function isConfirmed(
  chosen: ChosenIndex,
  { values, write, created }: Pick<OrderedHit, 'values' | 'write' | 'created'>,
  record: { readonly created: Ulid; readonly indexes: Indexes },
): boolean {
  const value = reportedValue(chosen, record.indexes);
  return (
    record.created === created &&
    value !== undefined &&
    values.includes(value) &&
    record.indexes[chosen.attribute.tag]?.[value] === write
  );
}

function reportedValue(
  { attribute: { tag }, sought }: ChosenIndex,
  indexes: Indexes,
): string | undefined {
  const values = Object.keys(indexes[tag] ?? {}).sort();
  for (const one of sought) {
    const found =
      one.kind === 'value'
        ? values.find((value) => value === indexedValue(tag, one.value))
        : values.find((value) => isSought(tag, one, value));
    if (found !== undefined) return found;
  }
  return undefined;
}
