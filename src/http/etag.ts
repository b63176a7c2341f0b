/** Entity tags: writing them, and the one comparison that a retrieval needs (RFC 9110 §13.1.2). */
import { splitUnquoted, unquote } from './header-list.js';

/** The value of an ETag header; the Microsoft contract leaves the quotes out. */
export function formatETag(value: string, { quoted }: { readonly quoted: boolean }): string {
  return quoted ? `"${value}"` : value;
}

/** The tag of an answer's gzip: other bytes, hence another strong tag (RFC 9110 §8.8.3.3). */
export function gzipETag(etag: string): string {
  return etag.endsWith('"') ? `${etag.slice(0, -1)}-gzip"` : `${etag}-gzip`;
}

/**
 * The tag of an If-None-Match header that names the current representation, so that 304 is the answer;
 * `undefined` when none does. Understands lists, `*`, weak tags and tags without quotes.
 *
 * @param etag of the representation itself, quoted or not.
 * @param takesGzip whether the request accepts gzip, and its gzip therefore counts as well.
 * @returns as the 304 says it: `etag`, or that of its gzip.
 */
export function matchingETag(
  header: string | null,
  etag: string,
  takesGzip: boolean,
): string | undefined {
  if (header === null) return undefined;
  const tags = splitUnquoted(header, ',').map((tag) => (tag === '*' ? etag : tag));
  return [etag, ...(takesGzip ? [gzipETag(etag)] : [])].find((current) =>
    tags.some((tag) => opaque(tag) === opaque(current)),
  );
}

function opaque(tag: string): string {
  return unquote(tag.trim().replace(/^W\//i, ''));
}
