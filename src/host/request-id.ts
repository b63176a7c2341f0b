/** The id under which a request is found in the log, in the response and at the caller. */
import { randomUUID } from 'node:crypto';

/**
 * The caller's `X-Request-Id` if it is harmless, else the trace id of a W3C `traceparent`, else a
 * new UUID.
 */
export function requestIdOf(headers: Headers): string {
  const given = headers.get('x-request-id');
  if (given !== null && /^[\w.:-]{1,128}$/.test(given)) return given;
  const trace = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-/.exec(headers.get('traceparent') ?? '');
  return trace?.[1] ?? randomUUID();
}
