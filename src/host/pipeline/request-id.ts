/** The id under which a request is found in the log, in the response and at the caller. */
import { randomUUID } from 'node:crypto';
import type { RequestHeaders } from '../../http/incoming-request.js';

const traceparentForm = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}$/;

/** The caller's `traceparent` (W3C Trace Context §3.2) and the trace id in it, if it is well-formed. */
export function traceOf(
  headers: RequestHeaders,
): { readonly traceparent: string; readonly traceId: string } | undefined {
  const traceparent = headers.get('traceparent') ?? '';
  const traceId = traceparentForm.exec(traceparent)?.[1];
  return traceId === undefined ? undefined : { traceparent, traceId };
}

/** The caller's `X-Request-Id` if it is harmless, else the id of its `trace`, else a new UUID. */
export function requestIdOf(
  headers: RequestHeaders,
  trace: { readonly traceId: string } | undefined,
): string {
  const given = headers.get('x-request-id');
  if (given !== null && /^[\w.:-]{1,128}$/.test(given)) return given;
  return trace?.traceId ?? randomUUID();
}
