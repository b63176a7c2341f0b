/**
 * Requests that come with the secret of a link instead of a token: what the link opens, and how a search is
 * kept to it. A link opens nothing that is not named here.
 */
import { parseAttribute } from '../../dicom/dictionary.js';
import { attribute } from '../../dicom/attribute.js';
import type { Route } from '../../dicomweb/route.js';
import type { Services } from '../../dicomweb/services.js';
import { ServiceError } from '../../errors.js';
import { headOf, type RequestHead, type RequestHeaders } from '../../http/incoming-request.js';
import { queryValue } from '../../http/query-string.js';
import type { Partition } from '../../storage/archive/keys.js';
import type { Share, SharedResource } from '../../storage/share-registry.js';

/** The query parameter that carries a secret, for `<img>`, `<video>` and clients that set no headers. */
const parameterName = 'share';
const bearerForm = /^bearer +(share_\S*)$/i;
/** Stands for secrets that contradict each other; no link has it. */
const contradiction = '';

function isSecretPiece(piece: string): boolean {
  const [name = ''] = piece.split('=');
  try {
    return decodeURIComponent(name.replaceAll('+', ' ')).toLowerCase() === parameterName;
  } catch {
    return false;
  }
}

function bearerSecret(headers: RequestHeaders): string | undefined {
  return bearerForm.exec(headers.get('authorization') ?? '')?.[1];
}

/**
 * Takes the secret of a link out of a request, so that no log, link or error can repeat it: from the query
 * parameter `share`, or `Authorization: Bearer share_…`.
 */
export function takeShareSecret(head: RequestHead): {
  readonly head: RequestHead;
  readonly secret: string | undefined;
} {
  const { method, headers } = head;
  const ofHeader = bearerSecret(headers);
  const pieces = head.url.search === '' ? [] : head.url.search.slice(1).split('&');
  const secrets = pieces
    .filter(isSecretPiece)
    .map((piece) => (piece.includes('=') ? piece.slice(piece.indexOf('=') + 1) : ''));
  if (secrets.length === 0) return { head, secret: ofHeader };
  const url = new URL(head.url);
  url.search = pieces.filter((piece) => !isSecretPiece(piece)).join('&');
  const all = new Set([...secrets, ...(ofHeader === undefined ? [] : [ofHeader])]);
  const [secret = contradiction] = all;
  return {
    head: headOf({ method, url, headers }),
    secret: all.size === 1 ? secret : contradiction,
  };
}

/**
 * The link that a secret belongs to.
 *
 * @throws ServiceError `unauthenticated`: there is none in this partition, it has expired or was withdrawn, or
 *   links are switched off.
 */
export async function shareOf(
  { shares }: Pick<Services, 'shares'>,
  partition: Partition,
  secret: string,
): Promise<Share> {
  const share = await shares?.registry.find(partition, secret);
  if (share !== undefined) return share;
  throw new ServiceError(
    'unauthenticated',
    'The link does not work: it has expired, was withdrawn, or is not whole.',
    { error: 'invalid_token' },
  );
}

type Level = keyof SharedResource;

const keywords: Readonly<Record<Level, string>> = {
  study: 'StudyInstanceUID',
  series: 'SeriesInstanceUID',
};

/** Searches that a link may send, with the keys that keep them to what it is to. */
const searches: Readonly<Record<string, readonly Level[]>> = {
  searchForStudies: ['study'],
  searchForSeries: ['study', 'series'],
  searchForInstances: ['study', 'series'],
  searchForStudySeries: ['series'],
  searchForStudyInstances: ['series'],
};

function refused(): ServiceError {
  return new ServiceError('forbidden', 'The link is to something else.', {
    error: 'insufficient_scope',
  });
}

/** Whether a path names nothing but what is shared, as far as it names anything of a level. */
function isWithin(params: Readonly<Record<string, string>>, shared: SharedResource): boolean {
  const { study, series } = params;
  return (
    (study === undefined || study === shared.study) &&
    (series === undefined || shared.series === undefined || series === shared.series)
  );
}

/** The request with a key for each level; its own key of that level must be the same. */
function keptTo(head: RequestHead, shared: SharedResource, levels: readonly Level[]): RequestHead {
  const { method, headers, query } = head;
  const url = new URL(head.url);
  for (const level of levels) {
    const uid = shared[level];
    if (uid === undefined) continue;
    const tag = attribute(keywords[level]);
    const given = query.filter(({ key }) => parseAttribute(key) === tag);
    if (given.some(({ value }) => value.trim() !== uid)) throw refused();
    if (given.length === 0) {
      url.search = `${url.search}${url.search === '' ? '?' : '&'}${keywords[level]}=${uid}`;
    }
  }
  return headOf({ method, url, headers });
}

/**
 * Lets the bearer of a link through to a route, or not; the answer does not depend on what is there.
 *
 * @returns the request as it is to be served: searches are kept to what is shared.
 * @throws ServiceError `forbidden`; `invalid-query` for a query that cannot be read.
 */
export function narrowToShare(
  route: Route,
  head: RequestHead,
  params: Readonly<Record<string, string>>,
  shared: SharedResource,
): RequestHead {
  const isRead = route.permission === 'read' && route.method === 'GET';
  if (!isRead || route.scope !== undefined || !isWithin(params, shared)) throw refused();
  const levels = searches[route.name];
  if (levels !== undefined) return keptTo(head, shared, levels);
  if (route.name === 'retrieveByUri') {
    const study = queryValue(head.query, 'studyUID') ?? '';
    const series = queryValue(head.query, 'seriesUID') ?? '';
    if (!isWithin({ study, series }, shared)) throw refused();
    return head;
  }
  // Resources: their paths name the study, and the series where no more than that is shared.
  const named =
    params['study'] !== undefined && (shared.series ?? params['series']) === params['series'];
  if (!named) throw refused();
  return head;
}
