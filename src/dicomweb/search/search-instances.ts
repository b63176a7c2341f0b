/** Search (PS3.18 §10.6): studies, series and instances that match the keys of a query. */
import type { DataSet } from '../../dicom/data-set.js';
import { stringifyDataSet } from '../../dicom/json.js';
import type { Level } from '../../storage/archive/keys.js';
import { chooseRepresentation, dicomJsonOffers } from '../negotiation.js';
import { seriesOf, studyOf } from '../path-uids.js';
import type { RequestContext } from '../route.js';
import { findInstances, findSeries, findStudies, type Scope } from './candidates.js';
import { parseSearch } from './parse-search.js';
import { project, shownBy, type Match } from './project.js';

interface SearchRoute {
  /** What a result is. */
  readonly level: Level;
  /** Levels whose attributes match and are returned. */
  readonly levels: readonly Level[];
}

const finders = {
  study: (context, predicates, _scope, wanted) => findStudies(context, predicates, wanted),
  series: findSeries,
  instance: findInstances,
} satisfies Record<
  Level,
  (...parameters: Parameters<typeof findInstances>) => AsyncGenerator<Match>
>;

async function search(
  context: RequestContext,
  { level, levels }: SearchRoute,
  scope: Scope,
): Promise<Response> {
  const { request, profile } = context;
  const { offer } = chooseRepresentation(request, dicomJsonOffers);
  const query = parseSearch(new URL(request.url), levels, profile.search);
  const { matches, more } = await page(
    finders[level](context, query.predicates, scope, query.offset + query.limit),
    query,
  );
  const shown = shownBy(context, query, levels, level);
  const results = await Promise.all(
    matches.map(async (match) => await project(context, match, shown)),
  );
  if (results.length === 0 && profile.search.emptyStatus === 204) {
    return new Response(null, { status: 204 });
  }
  return new Response(jsonArray(results), {
    headers: {
      'Content-Type': offer.mediaType,
      ...(more && { Warning: `299 ${new URL(context.baseUrl).host}: "${moreResults}"` }),
    },
  });
}

const moreResults = 'There are additional results that can be requested';

function jsonArray(results: readonly DataSet[]): string {
  return `[${results.map(stringifyDataSet).join(',')}]`;
}

/** The matches from `offset` on, up to `limit`, and whether there are more. */
async function page(
  found: AsyncGenerator<Match, void, undefined>,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<{ readonly matches: readonly Match[]; readonly more: boolean }> {
  const matches: Match[] = [];
  let position = 0;
  for await (const match of found) {
    if (position++ < offset) continue;
    if (matches.length === limit) return { matches, more: true };
    matches.push(match);
  }
  return { matches, more: false };
}

/** `GET studies`. */
export async function searchForStudies(context: RequestContext): Promise<Response> {
  return await search(context, { level: 'study', levels: ['study'] }, {});
}

/** `GET series`. */
export async function searchForSeries(context: RequestContext): Promise<Response> {
  return await search(context, { level: 'series', levels: ['study', 'series'] }, {});
}

/** `GET instances`. */
export async function searchForInstances(context: RequestContext): Promise<Response> {
  const levels = ['study', 'series', 'instance'] as const;
  return await search(context, { level: 'instance', levels }, {});
}

/** `GET studies/{study}/series`. */
export async function searchForStudySeries(context: RequestContext): Promise<Response> {
  const route = { level: 'series', levels: ['series'] } as const;
  return await search(context, route, studyOf(context.params));
}

/** `GET studies/{study}/instances`. */
export async function searchForStudyInstances(context: RequestContext): Promise<Response> {
  const route = { level: 'instance', levels: ['series', 'instance'] } as const;
  return await search(context, route, studyOf(context.params));
}

/** `GET studies/{study}/series/{series}/instances`. */
export async function searchForSeriesInstances(context: RequestContext): Promise<Response> {
  const route = { level: 'instance', levels: ['instance'] } as const;
  return await search(context, route, seriesOf(context.params));
}
