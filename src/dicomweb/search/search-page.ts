/** One page of a search: which matches it holds, and where the next one starts. */
import { invalidParameter } from '../../http/query-string.js';
import { tableLimits } from '../../storage/table-store.js';
import type { Predicate } from './match/demand.js';
import { usableIndexes, type ChosenIndex } from './walk/choose-index.js';
import { Effort } from './walk/effort.js';
import { findInstances } from './walk/find-instances.js';
import { findSeries, type PlacedStep, type Scope } from './walk/find-series.js';
import { findStudies, studyUidsSought, type StudyMatch } from './walk/find-studies.js';
import {
  comparePlaces,
  isOfAll,
  orderedPlaceOf,
  readOrderedPlace,
  spellOrderedPlace,
} from './walk/ordered-place.js';
import { studiesByGroups } from './walk/ordered-groups.js';
import { indexInOrder, orderedStudies } from './walk/ordered-studies.js';
import type { Search, SearchRoute } from './parse-search.js';
import { startOf, type Place } from './walk/place.js';
import { selectiveRank } from './walk/select-walk.js';
import { mostOrdered } from './walk/sort-keys.js';
import type { Match } from './walk/match.js';
import { metByInstances } from './walk/transfer-syntaxes.js';
import { walkIndex, type SearchContext, type Step } from './walk/walk.js';

export interface SearchPage {
  readonly matches: readonly Match[];
  /** Where the next page starts; `undefined` when nothing follows. */
  readonly next: Place | undefined;
  /** `more`: results follow. `unfinished`: the search was cut short and may find more. */
  readonly rest: 'none' | 'more' | 'unfinished';
  /** Matches of the `offset` that are yet to be passed over, where the search was cut short. */
  readonly offset: number;
}

type Steps = AsyncGenerator<PlacedStep<Match>, void, undefined>;

async function* placed(steps: AsyncGenerator<Step<StudyMatch>, void, undefined>): Steps {
  for await (const { key, ...step } of steps) yield { ...step, place: { outer: key } };
}

/** The results of a search one after another, from where an earlier page ended. */
export function stepsOf(
  context: SearchContext,
  { level }: SearchRoute,
  search: Search,
  scope: Scope,
  wanted: number,
): Steps {
  const { after } = search;
  const { predicates, ofInstances } = parted(search.predicates);
  const steps = (): Steps => {
    switch (level) {
      case 'study':
        return placed(findStudies(context, predicates, wanted, startOf(after.outer, false)));
      case 'series':
        return findSeries(context, predicates, scope, wanted, after);
      case 'instance':
        return findInstances(context, predicates, scope, wanted, after);
    }
  };
  return metByInstances(context, ofInstances, steps());
}

/** Parts those that rows of studies and series tell from those for which the instances have to be asked. */
function parted(all: readonly Predicate[]) {
  return {
    predicates: all.filter(({ key }) => key.inInstances !== true),
    ofInstances: all.filter(({ key }) => key.inInstances === true),
  };
}

/** The page of a search that its limit and its offset or continuation ask for. */
export async function searchPage(
  context: Omit<SearchContext, 'effort'>,
  route: SearchRoute,
  search: Search,
  scope: Scope,
): Promise<SearchPage> {
  const { offset, limit, ordering } = search;
  if (ordering !== undefined) return await orderedPage(context, route, search, scope);
  const effort = new Effort();
  const steps = stepsOf({ ...context, effort }, route, search, scope, offset + limit);
  return await pageOf(steps, search, effort);
}

async function pageOf(
  steps: Steps,
  { offset, limit }: Search,
  effort: Effort,
): Promise<SearchPage> {
  const matches: Match[] = [];
  let position = 0;
  for await (const { match, place, last } of steps) {
    if (match !== undefined) {
      effort.onMatch();
      if (position++ >= offset) matches.push(match);
    }
    if (matches.length === limit) {
      return { matches, next: last ? undefined : place, rest: last ? 'none' : 'more', offset: 0 };
    }
    if (effort.spent && !last) {
      const left = Math.max(offset - position, 0);
      return { matches, next: place, rest: 'unfinished', offset: left };
    }
  }
  return { matches, next: undefined, rest: 'none', offset: 0 };
}

/**
 * A page in an order of the client's: walked in the index that has it, or all results at once put into it.
 *
 * @throws ServiceError `invalid-query` when there are too many results to order.
 */
async function orderedPage(
  context: Omit<SearchContext, 'effort'>,
  route: SearchRoute,
  search: Search,
  scope: Scope,
): Promise<SearchPage> {
  const { ordering, after, offset, limit } = search;
  const { predicates, ofInstances } = parted(search.predicates);
  if (ordering === undefined) throw new RangeError('no order');
  const index = route.level === 'study' ? indexInOrder(ordering) : undefined;
  const inIndex = async (walked: ChosenIndex) => {
    const effort = new Effort();
    const withEffort = { ...context, effort };
    const start = startOf(after.outer, false);
    const steps =
      ordering.then === undefined
        ? orderedStudies(withEffort, predicates, walked, offset + limit, start)
        : studiesByGroups(withEffort, predicates, walked, ordering, offset + limit, start);
    return await pageOf(metByInstances(withEffort, ofInstances, placed(steps)), search, effort);
  };
  const isWalked = after.outer !== undefined && !isOfAll(after);
  if (index !== undefined && (isWalked || (await areMany(context, predicates)))) {
    return await inIndex(index);
  }
  const passed = readOrderedPlace(after);
  if (after.outer !== undefined && passed === undefined) {
    throw invalidParameter('continuation', 'It is not a token of this service.');
  }
  const found = await allToOrder(context, route, { ...search, after: {} }, scope);
  if (typeof found === 'string') {
    if (index !== undefined && passed === undefined) return await inIndex(index);
    throw invalidParameter('orderby', found);
  }
  const all = found
    .map((match) => ({ match, place: orderedPlaceOf(match, ordering) }))
    .filter(({ place }) => passed === undefined || comparePlaces(place, passed, ordering) > 0)
    .sort((a, b) => comparePlaces(a.place, b.place, ordering));
  const shown = all.slice(offset, offset + limit);
  const matches = shown.map(({ match }) => match);
  const last = shown.at(-1);
  const isMore = all.length > offset + limit;
  if (!isMore || last === undefined) return { matches, next: undefined, rest: 'none', offset: 0 };
  const next = { outer: spellOrderedPlace(last.place, 'all') };
  return { matches, next, rest: 'more', offset: 0 };
}

/**
 * Whether a search surely has more results than can be put in order at once, as far as keys of rows tell: no
 * index serves it, or what serves its only key has more rows.
 */
async function areMany(
  context: Omit<SearchContext, 'effort'>,
  predicates: readonly Predicate[],
): Promise<boolean> {
  if (studyUidsSought(predicates) !== undefined) return false;
  const [index] = usableIndexes(predicates, 'study');
  if (index === undefined) return true;
  if (predicates.length > 1 || index.rank <= selectiveRank) return false;
  let rows = 0;
  const hits = walkIndex({ ...context, effort: new Effort() }, index, tableLimits.pageRows, {});
  for await (const { last } of hits) {
    if (++rows > mostOrdered) return true;
    if (last) break;
  }
  return false;
}

/** All matches, or why there are too many. */
export async function allToOrder(
  context: Omit<SearchContext, 'effort'>,
  route: SearchRoute,
  search: Search,
  scope: Scope,
): Promise<readonly Match[] | string> {
  const effort = new Effort();
  const found: Match[] = [];
  const steps = stepsOf({ ...context, effort }, route, search, scope, mostOrdered);
  for await (const { match, last } of steps) {
    if (match !== undefined) {
      effort.onMatch();
      found.push(match);
    }
    if (found.length > mostOrdered) {
      return `More than ${mostOrdered} results cannot be ordered; narrow the search.`;
    }
    if (effort.spent && !last) return 'No index serves the search; narrow it.';
  }
  return found;
}
