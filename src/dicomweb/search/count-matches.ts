/** How many results a search has altogether, as far as a bounded effort tells. */
import { countByIndex } from './count-by-index.js';
import { Effort } from './walk/effort.js';
import type { Scope } from './walk/find-series.js';
import type { Search, SearchRoute } from './parse-search.js';
import { stepsOf, type SearchPage } from './search-page.js';
import type { SearchContext } from './walk/walk.js';

export interface Total {
  readonly count: number;
  /** Otherwise there are at least so many. */
  readonly isExact: boolean;
}

/** Results that are counted one by one at most. */
export const mostCounted = 5000;
/** Pages of the study list, of a thousand studies each, that are counted at most. */
export const mostCountedPages = 100;

const kept = { study: 'studies', series: 'series', instance: 'instances' } as const;

/** The total of a search, from its page alone where nothing follows it. */
export async function totalOf(
  context: Omit<SearchContext, 'effort'>,
  route: SearchRoute,
  search: Search,
  scope: Scope,
  { matches, rest }: SearchPage,
): Promise<Total> {
  const isFirst = Object.keys(search.after).length === 0;
  const isSeen = matches.length > 0 || search.offset === 0;
  if (rest === 'none' && isFirst && isSeen) {
    return { count: search.offset + matches.length, isExact: true };
  }
  if (search.predicates.length === 0 && scope.study === undefined) {
    const totals = await context.services.archive.totals(context.partition);
    if (totals !== undefined) return { count: totals[kept[route.level]], isExact: true };
    if (route.level === 'study') return await countStudies(context);
  }
  const byIndex =
    scope.study === undefined ? await countByIndex(context, route, search) : undefined;
  if (byIndex !== undefined) return byIndex;
  return await countOneByOne(context, route, search, scope);
}

/** Counts the study list by its keys; what it is not sure of is looked up. */
async function countStudies({
  services,
  partition,
  signal,
}: Omit<SearchContext, 'effort'>): Promise<Total> {
  const { browse, catalog } = services.archive;
  let [count, pages] = [0, 0];
  for await (const { marks, isLast } of browse.marks(partition, { signal })) {
    const there = await Promise.all(
      marks.map(async ({ study, created, unsure }) => {
        return !unsure || (await catalog.study(partition, study))?.created === created;
      }),
    );
    count += there.filter(Boolean).length;
    pages++;
    if (!isLast && pages === mostCountedPages) return { count, isExact: false };
  }
  return { count, isExact: true };
}

async function countOneByOne(
  context: Omit<SearchContext, 'effort'>,
  route: SearchRoute,
  search: Search,
  scope: Scope,
): Promise<Total> {
  const effort = new Effort();
  const all = { ...search, after: {} };
  let count = 0;
  const steps = stepsOf({ ...context, effort }, route, all, scope, mostCounted);
  for await (const { match, last } of steps) {
    if (match !== undefined) {
      effort.onMatch();
      count++;
    }
    if (!last && (count === mostCounted || effort.spent)) return { count, isExact: false };
  }
  return { count, isExact: true };
}
