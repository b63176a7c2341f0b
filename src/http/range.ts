/**
 * Byte ranges of a representation (RFC 9110 §14): what a client that reads piece by piece, or goes
 * on with a download, is sent. One range is served; several are answered with the whole.
 */
import { ServiceError } from '../errors.js';
import { unquote } from './header-list.js';
import type { RequestHeaders } from './incoming-request.js';

/** What a Range header asks of a representation of known length. Offsets count bytes from 0. */
export type RequestedRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly offset: number; readonly length: number }
  | { readonly kind: 'unsatisfiable' };

/** Which bytes to send, and the status and headers that say so. */
export interface RangeAnswer {
  readonly status: 200 | 206;
  readonly offset: number;
  /** Bytes to send; 0 only when the representation is empty. */
  readonly length: number;
  /** Accept-Ranges, Content-Length and, for a part, Content-Range. */
  readonly headers: Readonly<Record<string, string>>;
}

const whole: RequestedRange = { kind: 'whole' };

/**
 * Reads a Range header. One that is malformed, counts in another unit than bytes, or names several
 * ranges is passed over, as RFC 9110 §14.2 allows.
 *
 * @param length bytes of the whole representation.
 */
export function parseRange(header: string | null, length: number): RequestedRange {
  const [, first, last] = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined) return whole;
  if (first === '') {
    if (last === '') return whole;
    const suffix = Math.min(Number(last), length);
    if (Number(last) === 0) return { kind: 'unsatisfiable' };
    // No Content-Range can tell of a part of nothing.
    return length === 0 ? whole : { kind: 'part', offset: length - suffix, length: suffix };
  }
  const offset = Number(first);
  const end = last === '' ? length : Math.min(Number(last) + 1, length);
  if (last !== '' && Number(last) < offset) return whole;
  if (offset >= length) return { kind: 'unsatisfiable' };
  return { kind: 'part', offset, length: end - offset };
}

/**
 * Whether an If-Range header lets a range be sent (RFC 9110 §13.1.5): absent, or the current strong
 * tag. A date never does, since two versions may be of one second.
 */
function unchangedSince(header: string | null, etag: string | undefined): boolean {
  if (header === null) return true;
  const tag = header.trim();
  return etag !== undefined && !/^W\//i.test(tag) && unquote(tag) === unquote(etag);
}

/**
 * The part of a representation that a request gets, by its Range and If-Range headers.
 *
 * @param length bytes of the whole representation.
 * @param etag its strong entity tag, quoted or not.
 * @throws ServiceError `range-not-satisfiable`, a 416 that says how long the representation is.
 */
export function answerRange(headers: RequestHeaders, length: number, etag?: string): RangeAnswer {
  const range = unchangedSince(headers.get('if-range'), etag)
    ? parseRange(headers.get('range'), length)
    : whole;
  if (range.kind === 'unsatisfiable') {
    throw new ServiceError(
      'range-not-satisfiable',
      `The range asked for lies outside of the ${length} bytes that there are.`,
      { parameter: 'Range', completeLength: length },
    );
  }
  const accept = { 'Accept-Ranges': 'bytes' };
  if (range.kind === 'whole') {
    return {
      status: 200,
      offset: 0,
      length,
      headers: { ...accept, 'Content-Length': String(length) },
    };
  }
  const { offset, length: size } = range;
  return {
    status: 206,
    offset,
    length: size,
    headers: {
      ...accept,
      'Content-Length': String(size),
      'Content-Range': `bytes ${offset}-${offset + size - 1}/${length}`,
    },
  };
}
