/** Walks of the search: index rows in order, and their truths in rounds of parallel reads. */
import type { Indexes } from '../../../storage/archive/records.js';
import type { Ulid } from '../../../storage/archive/ulid.js';
import type { IndexHit } from '../../../storage/archive/index/search-index.js';
import type { RequestContext } from '../../route.js';
import { isFirstMet } from '../../../storage/archive/index/confirmation.js';
import { indexedValue } from '../../../storage/archive/index/search-index.js';
import { orderWithinValue, rowsOfValue } from '../../../storage/archive/keys.js';
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
export interface OrderedHit extends Omit<IndexHit, 'value' | 'rowKey'> {
  readonly key: string;
  /** Those under which one write has put the same thing. */
  readonly values: readonly string[];
}

/**
 * Walks the rows of the chosen index. Rows of several values are merged, newest first: their order
 * is that of everything after the value in their keys. No row is read ahead of those that are asked for.
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
    const prefix =
      one.kind === 'value' ? rowsOfValue(indexedValue(attribute.tag, one.value)).from : '';
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
    for await (const hit of only) yield { ...hit, key: hit.rowKey, values: [hit.value] };
    return;
  }
  let heads = await advance(walks);
  while (heads.length > 0) {
    const key = heads.map(({ hit }) => orderWithinValue(hit)).reduce((a, b) => (a < b ? a : b));
    const first = heads.filter(({ hit }) => orderWithinValue(hit) === key);
    const [{ hit } = { hit: undefined }] = first;
    if (hit === undefined) return;
    const last = first.length === heads.length && first.every(({ hit }) => hit.last);
    yield { ...hit, key, last, values: first.map(({ hit }) => hit.value) };
    const others = heads.filter((head) => !first.includes(head));
    heads = [...others, ...(await advance(first.map(({ walk }) => walk)))];
  }
}

type Walk = AsyncGenerator<IndexHit, void, undefined>;

/** The next hit of each walk that has one. */
async function advance(
  walks: readonly Walk[],
): Promise<readonly { readonly walk: Walk; readonly hit: IndexHit }[]> {
  const steps = await Promise.all(walks.map(async (walk) => ({ walk, step: await walk.next() })));
  return steps.flatMap(({ walk, step }) => (step.done === true ? [] : [{ walk, hit: step.value }]));
}

/** Whether a record confirms what a walk over the chosen index has met, which is but a hint. */
export function isConfirmed(
  { attribute, sought }: ChosenIndex,
  hit: Pick<OrderedHit, 'values' | 'write' | 'created'>,
  record: { readonly created: Ulid; readonly indexes: Indexes },
): boolean {
  return isFirstMet(record, attribute, sought, hit);
}

/** A page of OHIF's study list, 101, is one round. */
const mostAtOnce = 128;

/**
 * Turns hits into matches, as many at a time as are still wanted, so that a page costs one round of
 * parallel reads and no more reads than results. Ends early, with a step that is only progress, when
 * the effort is spent.
 */
export async function* inRounds<Match>(
  source: AsyncGenerator<OrderedHit, void, undefined>,
  wanted: number,
  effort: Effort,
  read: (hits: readonly OrderedHit[]) => Promise<readonly (Match | undefined)[]>,
): AsyncGenerator<Step<Match>, void, undefined> {
  let left = wanted;
  try {
    for (;;) {
      const round: OrderedHit[] = [];
      const size = Math.min(Math.max(left, 1), mostAtOnce);
      while (round.length < size) {
        const next = await source.next();
        if (next.done === true) break;
        round.push(next.value);
      }
      if (round.length === 0) return;
      effort.onLookups(round.length);
      const matches = await read(round);
      for (const [position, { key, last }] of round.entries()) {
        const match = matches[position];
        if (match !== undefined) {
          left--;
          yield { match, key, last };
        } else if (position === round.length - 1 && effort.spent) yield { key, last };
      }
    }
  } finally {
    await source.return();
  }
}
