/** Which indexes a search can use, and which of them is likely to be the most selective. */
import {
  indexedAttributes,
  type IndexedAttribute,
} from '../../../storage/archive/index/attributes.js';
import type { Level } from '../../../storage/archive/keys.js';
import type { SoughtValues } from '../../../storage/archive/index/search-index.js';
import { hasOnlyWords, hasWords } from '../../../storage/archive/index/word-index.js';
import type { Narrowing } from '../match/demand.js';
import type { Predicate } from '../match/demand.js';
import type { SearchKey } from '../match/search-keys.js';

export interface ChosenIndex {
  readonly attribute: IndexedAttribute;
  /** Walked together, newest first, when there are several. */
  readonly sought: readonly SoughtValues[];
  readonly rank: number;
}

/** A beginning that is shorter than this says little. */
const tellingCharacters = 3;

/** What a wider narrowing costs, in steps of the ranks of attributes. */
function rankOf(narrowing: Narrowing): number {
  switch (narrowing.kind) {
    case 'values':
      return 0;
    case 'prefix':
      return narrowing.prefix.length < tellingCharacters ? 2 : 1;
    case 'interval':
      return 2;
  }
}

/** Between a beginning that tells something and one that does not. */
const partRank = 1.5;

function soughtIn(narrowing: Narrowing): readonly SoughtValues[] {
  if (narrowing.kind !== 'values') return [narrowing];
  return narrowing.values.map((value) => ({ kind: 'value', value }));
}

/** Of query tags nobody knows how much a value leaves. */
const queryTagRank = 5;

/** The index of a key at a level, if it has one. */
function indexOf(key: SearchKey, level: Level): IndexedAttribute | undefined {
  if (key.level !== level) return undefined;
  if (key.queryTag !== undefined) return { level, tag: key.tag, rank: queryTagRank };
  return indexedAttributes.find((one) => one.level === level && one.tag === key.tag);
}

/** The indexes that the predicates of a level can use, the most selective kind first. */
export function usableIndexes(
  predicates: readonly Predicate[],
  level: Level,
): readonly ChosenIndex[] {
  return predicates
    .flatMap(({ key, narrowing, part }): ChosenIndex[] => {
      const attribute = indexOf(key, level);
      if (attribute === undefined) return [];
      const usable: ChosenIndex[] = [];
      if (narrowing !== undefined && !hasOnlyWords(level, key.tag)) {
        const rank = attribute.rank + rankOf(narrowing);
        usable.push({ attribute, sought: soughtIn(narrowing), rank });
      }
      if (part !== undefined && hasWords(level, key.tag)) {
        const sought = [{ kind: 'part', beginning: part }] as const;
        usable.push({ attribute, sought, rank: attribute.rank + partRank });
      }
      return usable.sort((a, b) => a.rank - b.rank).slice(0, 1);
    })
    .sort((a, b) => a.rank - b.rank);
}

/** The most selective kind of index that any predicate of the level can use. */
export function chooseIndex(
  predicates: readonly Predicate[],
  level: Level,
): ChosenIndex | undefined {
  return usableIndexes(predicates, level)[0];
}
