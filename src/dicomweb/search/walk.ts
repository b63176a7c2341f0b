/** Walks of the search: index rows in order, and their truths in rounds of parallel reads. */
import { invertUlid } from '../../storage/archive/ulid.js';
import type { IndexHit } from '../../storage/archive/search-index.js';
import type { RequestContext } from '../route.js';
import { indexedValue } from '../../storage/archive/search-index.js';
import type { ChosenIndex } from './choose-index.js';
import type { Effort } from './effort.js';
import type { WalkStart } from './place.js';

/** What searches read, and how much of it they may. */
export interface SearchContext extends Pick<RequestContext, 'services' | 'partition' | 'signal'> {
  readonly effort: Effort;
}

/**
 * One step of a walk: a match, or nothing but progress. `key` is the place after which a later walk
 * goes on; `last` says that nothing follows.
 */
export interface Step<Match> {
  readonly match?: Match;
  readonly key: string;
  readonly last: boolean;
}

/** A hit with the key that orders it among the hits of all sought values. */
export interface OrderedHit extends IndexHit {
  readonly key: string;
}

/**
 * Walks the rows of the chosen index. Rows of several values are merged, newest first: their order
 * is that of everything after the value in their keys.
 */
export async function* walkIndex(
  { services, partition, signal, effort }: SearchContext,
  { attribute, sought }: ChosenIndex,
  firstPageRows: number,
  start: WalkStart,
): AsyncGenerator<OrderedHit, void, undefined> {
  const { index } = services.archive;
  const single = sought.length === 1;
  const walks = sought.map((one) => {
    const prefix = one.kind === 'value' ? `${indexedValue(attribute.tag, one.value)}|` : '';
    const behind = single ? '' : prefix;
    return index.walk(partition, attribute, one, {
      firstPageRows,
      onPage: effort.onPage,
      signal,
      ...(start.after !== undefined && { after: behind + start.after }),
      ...(start.at !== undefined && { at: behind + start.at }),
    });
  });
  const [only] = walks;
  if (only !== undefined && single) {
    for await (const hit of only) yield { ...hit, key: hit.rowKey };
    return;
  }
  const heads = await Promise.all(walks.map(async (walk) => ({ walk, next: await walk.next() })));
  for (;;) {
    let first: (typeof heads)[number] | undefined;
    for (const head of heads) {
      if (head.next.done === true) continue;
      const isFirst =
        first === undefined ||
        first.next.done === true ||
        orderOf(head.next.value) < orderOf(first.next.value);
      if (isFirst) first = head;
    }
    if (first === undefined || first.next.done === true) return;
    const hit = first.next.value;
    first.next = await first.walk.next();
    yield { ...hit, key: orderOf(hit) };
  }
}

/** The part of a row key behind its value. */
function orderOf({ created, uids, write }: IndexHit): string {
  const names = [uids.study, uids.series, uids.instance].filter((uid) => uid !== undefined);
  return [invertUlid(created), ...names, write].join('|');
}

/** A page of OHIF's study list, 101, is one round. */
const mostAtOnce = 128;

/**
 * Turns hits into matches, as many at a time as are still wanted, so that a page costs one round of
 * parallel reads and no more reads than results. Ends early, with a step that is only progress, when
 * the effort is spent.
 */
export async function* inRounds<Hit extends { readonly key: string }, Match>(
  source: AsyncGenerator<Hit, void, undefined>,
  wanted: number,
  effort: Effort,
  read: (hit: Hit) => Promise<Match | undefined>,
): AsyncGenerator<Step<Match>, void, undefined> {
  let left = wanted;
  try {
    let next = await source.next();
    while (next.done !== true) {
      const round: Hit[] = [];
      const size = Math.min(Math.max(left, 1), mostAtOnce);
      // Hits with the same key stand for the same thing: a place between them is none.
      while (next.done !== true && (round.length < size || next.value.key === round.at(-1)?.key)) {
        round.push(next.value);
        next = await source.next();
      }
      effort.onLookups(round.length);
      const matches = await Promise.all(round.map(read));
      for (const [position, hit] of round.entries()) {
        const match = matches[position];
        const last = next.done === true && position === round.length - 1;
        if (match !== undefined) {
          left--;
          yield { match, key: hit.key, last };
        } else if (position === round.length - 1 && effort.spent) yield { key: hit.key, last };
      }
    }
  } finally {
    await source.return();
  }
}
