/** Search (PS3.18 §10.6): studies, series and instances that match the keys of a query. */
import type { RequestHead } from '../../http/incoming-request.js';
import { chooseRepresentation } from '../negotiation.js';
import { seriesOf, studyOf } from '../path-uids.js';
import type { RequestContext } from '../route.js';
import { totalOf, type Total } from './count-matches.js';
import type { Scope } from './walk/find-series.js';
import {
  continuationParameter,
  parseSearch,
  type Search,
  type SearchRoute,
} from './parse-search.js';
import { encodePlace } from './walk/place.js';
import { project, shownBy } from './results/project.js';
import { renderResults, searchOffers } from './results/search-representations.js';
import { searchPage, type SearchPage } from './search-page.js';
import { reply, type Reply, type ReplyHeaders } from '../../http/reply.js';

async function search(context: RequestContext, route: SearchRoute, scope: Scope): Promise<Reply> {
  const { request, profile } = context;
  const { offer } = chooseRepresentation(request, searchOffers);
  const url = new URL(request.url);
  const query = parseSearch(url, route, scope.study !== undefined, profile.search);
  const page = await searchPage(context, route, query, scope);
  const total = asksForTotal(request, query)
    ? await totalOf(context, route, query, scope, page)
    : undefined;
  const shown = shownBy(context, query, route);
  const results = await Promise.all(
    page.matches.map(async (match) => await project(context, match, shown)),
  );
  const headers = {
    ...pageHeaders(context, url, query, page, total),
    ...(total !== undefined && totalHeaders(request, total)),
  };
  if (results.length === 0 && page.rest === 'none' && profile.search.emptyStatus === 204) {
    return reply(null, { status: 204, headers });
  }
  const { contentType, body } = renderResults(offer, results);
  return reply(body, { headers: { ...headers, 'Content-Type': contentType } });
}

const warnings = {
  more: 'There are additional results that can be requested',
  unfinished: 'The search was cut short; the next page goes on with it',
  bound: 'X-Total-Count is a lower bound: there are more results than could be counted',
} as const;

const preferences = ['prefer', 'preference'] as const;

/** A preference for an exact count, among others (RFC 7240). */
function prefersCount(request: RequestHead): boolean {
  return preferences.some((name) =>
    (request.headers.get(name) ?? '')
      .split(/[,;]/)
      .some((one) => /^\s*count\s*=\s*"?exact"?\s*$/i.test(one)),
  );
}

function asksForTotal(request: RequestHead, { total }: Search): boolean {
  return total || prefersCount(request);
}

function totalHeaders(request: RequestHead, { count, isExact }: Total) {
  return {
    'X-Total-Count': String(count),
    ...(prefersCount(request) && isExact && { 'Preference-Applied': 'count=exact' }),
  };
}

/** Names of parameters in a warning at most. */
const mostNamed = 16;

/** What a warning says of parameters that were passed over (PS3.18 §8.3). */
function ignoredText(names: readonly string[]): string {
  const named = names.slice(0, mostNamed).map((name) => name.replace(/["\\]/g, '?'));
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : '';
  return `These query parameters are not supported and were ignored: ${named.join(', ')}${more}`;
}

/** `Warning: 299` (PS3.18 §8.3.4.4) and a link to the next page (RFC 8288) when there is more. */
function pageHeaders(
  { baseUrl }: RequestContext,
  url: URL,
  { identity, ignored }: Search,
  { next, rest, offset }: SearchPage,
  total: Total | undefined,
): ReplyHeaders {
  const base = new URL(baseUrl);
  const texts = [
    ...(ignored.length > 0 ? [ignoredText(ignored)] : []),
    ...(rest === 'none' ? [] : [warnings[rest]]),
    ...(total?.isExact === false ? [warnings.bound] : []),
  ];
  const told = texts.map((text) => `299 ${base.host}: "${text}"`);
  const headers = told.length === 0 ? {} : { Warning: told.join(', ') };
  if (rest === 'none' || next === undefined) return headers;
  const target = new URL(url.pathname + url.search, base.origin);
  for (const name of [...target.searchParams.keys()]) {
    // The names of parameters match in any case.
    if (/^(?:offset|continuation)$/i.test(name)) target.searchParams.delete(name);
  }
  if (offset > 0) target.searchParams.set('offset', String(offset));
  target.searchParams.set(continuationParameter, encodePlace(next, identity));
  return { ...headers, Link: `<${target.href}>; rel="next"` };
}

/** `GET studies`. */
export async function searchForStudies(context: RequestContext): Promise<Reply> {
  return await search(context, { level: 'study', levels: ['study'] }, {});
}

/** `GET series`. */
export async function searchForSeries(context: RequestContext): Promise<Reply> {
  return await search(context, { level: 'series', levels: ['study', 'series'] }, {});
}

/** `GET instances`. */
export async function searchForInstances(context: RequestContext): Promise<Reply> {
  const levels = ['study', 'series', 'instance'] as const;
  return await search(context, { level: 'instance', levels }, {});
}

/** `GET studies/{study}/series`. */
export async function searchForStudySeries(context: RequestContext): Promise<Reply> {
  const route = { level: 'series', levels: ['series'] } as const;
  return await search(context, route, studyOf(context.params));
}

/** `GET studies/{study}/instances`. */
export async function searchForStudyInstances(context: RequestContext): Promise<Reply> {
  const route = { level: 'instance', levels: ['series', 'instance'] } as const;
  return await search(context, route, studyOf(context.params));
}

/** `GET studies/{study}/series/{series}/instances`. */
export async function searchForSeriesInstances(context: RequestContext): Promise<Reply> {
  const route = { level: 'instance', levels: ['instance'] } as const;
  return await search(context, route, seriesOf(context.params));
}
