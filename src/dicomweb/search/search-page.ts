/** One page of a search: which matches it holds, and where the next one starts. */
import { normalisedValues } from '../../dicom/normalise.js';
import type { Tag } from '../../dicom/tag.js';
import { invalidParameter } from '../../http/query-string.js';
import { Effort } from './effort.js';
import { findInstances } from './find-instances.js';
import { findSeries, type PlacedStep, type Scope } from './find-series.js';
import { findStudies } from './find-studies.js';
import type { Search, SearchRoute } from './parse-search.js';
import { startOf, type Place } from './place.js';
import { elementOf, type Match } from './project.js';
import type { SearchContext } from './walk.js';

export interface SearchPage {
  readonly matches: readonly Match[];
  /** Where the next page starts; `undefined` when nothing follows, or in an order of the client's. */
  readonly next: Place | undefined;
  /** `more`: results follow. `unfinished`: the search was cut short and may find more. */
  readonly rest: 'none' | 'more' | 'unfinished';
  /** Matches of the `offset` that are yet to be passed over, where the search was cut short. */
  readonly offset: number;
}

type Steps = AsyncGenerator<PlacedStep<Match>, void, undefined>;

async function* stepsOfStudies(
  context: SearchContext,
  { predicates, after }: Search,
  wanted: number,
): Steps {
  const start = startOf(after.outer, false);
  for await (const { key, ...step } of findStudies(context, predicates, wanted, start)) {
    yield { ...step, place: { outer: key } };
  }
}

function stepsOf(
  context: SearchContext,
  { level }: SearchRoute,
  search: Search,
  scope: Scope,
  wanted: number,
): Steps {
  const { predicates, after } = search;
  switch (level) {
    case 'study':
      return stepsOfStudies(context, search, wanted);
    case 'series':
      return findSeries(context, predicates, scope, wanted, after);
    case 'instance':
      return findInstances(context, predicates, scope, wanted, after);
  }
}

/** The page of a search that its limit and its offset or continuation ask for. */
export async function searchPage(
  context: Omit<SearchContext, 'effort'>,
  route: SearchRoute,
  search: Search,
  scope: Scope,
): Promise<SearchPage> {
  const { offset, limit, ordering } = search;
  const effort = new Effort();
  const withEffort = { ...context, effort };
  if (ordering !== undefined) return await orderedPage(withEffort, route, search, scope);
  const steps = stepsOf(withEffort, route, search, scope, offset + limit);
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

/** Results that can be put into another order than that of the walks. */
export const mostOrdered = 5000;

/** @throws ServiceError `invalid-query` when there are too many results to order. */
async function orderedPage(
  context: SearchContext,
  route: SearchRoute,
  search: Search,
  scope: Scope,
): Promise<SearchPage> {
  const { ordering, offset, limit } = search;
  if (ordering === undefined) throw new RangeError('no order');
  const found: Match[] = [];
  for await (const { match, last } of stepsOf(context, route, search, scope, mostOrdered)) {
    if (match !== undefined) {
      context.effort.onMatch();
      found.push(match);
    }
    if (found.length > mostOrdered) {
      throw invalidParameter(
        'orderby',
        `More than ${mostOrdered} results cannot be ordered; narrow the search.`,
      );
    }
    if (context.effort.spent && !last) {
      throw invalidParameter('orderby', 'No index serves the search; narrow it.');
    }
  }
  // A stable sort: equal values stay newest first. Those without a value come last.
  const keyed = found.map((match) => ({ match, key: sortKey(match, ordering.tag) }));
  keyed.sort((a, b) => compare(a.key, b.key, ordering.descending));
  const matches = keyed.slice(offset, offset + limit).map(({ match }) => match);
  const isMore = keyed.length > offset + limit;
  return { matches, next: undefined, rest: isMore ? 'more' : 'none', offset: 0 };
}

function sortKey(match: Match, tag: Tag): string | undefined {
  return normalisedValues(elementOf(match, tag, ''))[0];
}

function compare(a: string | undefined, b: string | undefined, descending: boolean): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b === descending ? 1 : -1;
}
