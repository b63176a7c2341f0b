/** Entity tags: writing them, and the one comparison that a retrieval needs (RFC 9110 §13.1.2). */
import { splitUnquoted, unquote } from './header-list.js';

/** The value of an ETag header; the Microsoft contract leaves the quotes out. */
export function formatETag(value: string, { quoted }: { readonly quoted: boolean }): string {
  return quoted ? `"${value}"` : value;
}

/**
 * Whether an If-None-Match header names the current representation, so that 304 is the answer.
 * Understands lists, `*`, weak tags and tags without quotes; `etag` may be quoted or not.
 */
export function ifNoneMatch(header: string | null, etag: string): boolean {
  if (header === null) return false;
  const current = opaque(etag);
  return splitUnquoted(header, ',').some((tag) => tag === '*' || opaque(tag) === current);
}

function opaque(tag: string): string {
  return unquote(tag.trim().replace(/^W\//i, ''));
}
