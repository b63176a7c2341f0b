/** Search (PS3.18 §10.6): studies, series and instances that match the keys of a query. */
import { chooseRepresentation } from '../negotiation.js';
import { seriesOf, studyOf } from '../path-uids.js';
import { answering, type RequestContext } from '../route.js';
import { totalOf } from './count-matches.js';
import { asksForTotal, pageHeaders, totalHeaders } from './page-headers.js';
import type { Scope } from './walk/find-series.js';
import {
  mayNameQueryTags,
  parseSearch,
  searchParameters,
  type SearchRoute,
} from './parse-search.js';
import { project, shownBy } from './results/project.js';
import { renderResults, searchOffers } from './results/search-representations.js';
import { searchPage } from './search-page.js';
import { reply, type Reply } from '../../http/reply.js';

async function search(context: RequestContext, route: SearchRoute, scope: Scope): Promise<Reply> {
  const { request, profile } = context;
  const { offer } = chooseRepresentation(request, searchOffers);
  const { url } = request;
  const tags = mayNameQueryTags(url, route, profile.search)
    ? (await context.services.archive.queryTags.read()).tags
    : [];
  const query = parseSearch(url, route, scope.study !== undefined, profile.search, tags);
  const page = await searchPage(context, route, query, scope);
  const total = asksForTotal(request, query)
    ? await totalOf(context, route, query, scope, page)
    : undefined;
  const shown = shownBy(context, query, route);
  const results = await Promise.all(
    page.matches.map(async (match) => await project(context, match, shown)),
  );
  const headers = {
    ...(query.erroneous.length > 0 && {
      'erroneous-dicom-attributes': query.erroneous.join(','),
    }),
    ...pageHeaders(context, url, query, page, total),
    ...(total !== undefined && totalHeaders(request, total)),
  };
  if (results.length === 0 && page.rest === 'none' && profile.search.emptyStatus === 204) {
    return reply(null, { status: 204, headers });
  }
  const { contentType, body } = renderResults(offer, results);
  return reply(body, { headers: { ...headers, 'Content-Type': contentType } });
}

const searching = { answers: searchOffers, query: searchParameters } as const;

/** `GET studies`. */
export const searchForStudies = answering(searching, async (context) => {
  return await search(context, { level: 'study', levels: ['study'] }, {});
});

/** `GET series`. */
export const searchForSeries = answering(searching, async (context) => {
  return await search(context, { level: 'series', levels: ['study', 'series'] }, {});
});

/** `GET instances`. */
export const searchForInstances = answering(searching, async (context) => {
  const levels = ['study', 'series', 'instance'] as const;
  return await search(context, { level: 'instance', levels }, {});
});

/** `GET studies/{study}/series`. */
export const searchForStudySeries = answering(searching, async (context) => {
  const route = { level: 'series', levels: ['series'] } as const;
  return await search(context, route, studyOf(context.params));
});

/** `GET studies/{study}/instances`. */
export const searchForStudyInstances = answering(searching, async (context) => {
  const route = { level: 'instance', levels: ['series', 'instance'] } as const;
  return await search(context, route, studyOf(context.params));
});

/** `GET studies/{study}/series/{series}/instances`. */
export const searchForSeriesInstances = answering(searching, async (context) => {
  const route = { level: 'instance', levels: ['instance'] } as const;
  return await search(context, route, seriesOf(context.params));
});
