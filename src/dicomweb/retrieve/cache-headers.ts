/**
 * Validators of what is retrieved (RFC 9110 §8.8, RFC 9111): entity tags made of a version and of how
 * it is represented, and the 304 to those who have it. Nothing is fresh without asking: whoever may
 * read today may not tomorrow, and a version may be replaced.
 */
import { hash } from 'node:crypto';
import { acceptsGzip } from '../../http/content-encoding.js';
import { formatETag, matchingETag } from '../../http/etag.js';
import { timeOf, type Ulid } from '../../storage/archive/ulid.js';
import { reply, type Reply } from '../../http/reply.js';
import type { RequestHead } from '../../http/incoming-request.js';

const digestCharacters = 16;
const boundaryCharacters = 36;

/** A multipart boundary that is always the same for the same representation, as its bytes must be. */
export function boundaryOf(tag: string): string {
  return hash('sha256', tag).slice(0, boundaryCharacters);
}

/** How a caller keeps what it was sent. */
export type CacheHeaders = Readonly<Record<'ETag' | 'Cache-Control', string>> & {
  readonly 'Last-Modified'?: string;
};

/**
 * The entity tag, without quotes, of one representation of a version. Name everything that changes the
 * bytes: media type, transfer syntax, form, frames, the URL when it is in the body.
 */
export function entityTag(version: string, ...representation: readonly string[]): string {
  if (representation.length === 0) return version;
  const digest = hash('sha256', JSON.stringify(representation));
  return `${version}-${digest.slice(0, digestCharacters)}`;
}

/**
 * The headers of a cacheable answer, of its 304 too.
 *
 * @param tag from `entityTag`.
 * @param modified the write that made the version, when it has one: its time is Last-Modified.
 * @param quoted whether the tag gets its quotes; the Microsoft contract leaves those of metadata out.
 */
export function cacheHeaders(tag: string, modified?: Ulid, quoted = true): CacheHeaders {
  return {
    ETag: formatETag(tag, { quoted }),
    'Cache-Control': 'private, no-cache',
    ...(modified !== undefined && { 'Last-Modified': new Date(timeOf(modified)).toUTCString() }),
  };
}

/**
 * The 304 of a request that has this representation already, by If-None-Match (RFC 9110 §13.1.2);
 * `undefined` when it is to be sent. If-Modified-Since is not looked at: two versions may be of one
 * second.
 */
export function notModified(
  request: Pick<RequestHead, 'headers'>,
  headers: CacheHeaders,
): Reply | undefined {
  const known = request.headers.get('if-none-match');
  if (known === null) return undefined;
  const takesGzip = acceptsGzip(request.headers.get('accept-encoding'));
  const tag = matchingETag(known, headers.ETag, takesGzip);
  if (tag === undefined) return undefined;
  return reply(null, { status: 304, headers: { ...headers, ETag: tag } });
}
