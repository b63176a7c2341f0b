/** What the headers of a page of results say: that there is more, what was passed over, how many there are. */
import type { RequestHead } from '../../http/incoming-request.js';
import type { ReplyHeaders } from '../../http/reply.js';
import type { RequestContext } from '../route.js';
import type { Total } from './count-matches.js';
import { continuationParameter, type Search } from './parse-search.js';
import type { SearchPage } from './search-page.js';
import { encodePlace } from './walk/place.js';

const warnings = {
  more: 'There are additional results that can be requested',
  unfinished:
    'The search was cut short; the next page goes on with it. Three letters or digits in a row of PatientName, ' +
    'PatientID, AccessionNumber or a description, or a range of StudyDate, narrow it',
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

/** Whether a request wants to know how many results there are. */
export function asksForTotal(request: RequestHead, { total }: Search): boolean {
  return total || prefersCount(request);
}

/** What an answer says of its total. */
export function totalHeaders(request: RequestHead, { count, isExact }: Total) {
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
export function pageHeaders(
  { baseUrl }: RequestContext,
  url: URL,
  { identity, ignored }: Search,
  { next, rest, offset }: Pick<SearchPage, 'next' | 'rest' | 'offset'>,
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
