/**
 * Cross-origin headers for browser viewers (Fetch standard, CORS protocol). Pure functions: the
 * pipeline adds what they return, to errors too, because a browser hides any answer without them.
 */
import { isLoopbackHost } from './loopback-host.js';
import type { RequestHeaders } from './incoming-request.js';

/** In a list of origins: every page that this machine serves, at any port. */
export const loopbackOrigins = 'loopback';

/** Who may call from a browser. */
export interface CorsConfig {
  /**
   * Origins such as `https://viewer.example.com` and `loopback`, or `*` for any, then without
   * credentials.
   */
  readonly allowedOrigins: readonly string[] | '*';
}

const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const allowedHeaders =
  'Authorization, Accept, Prefer, Preference, Content-Type, Content-Encoding, Range, If-Range, If-None-Match, ' +
  'If-Modified-Since, ' +
  'msdicom-request-original, msdicom-expiry-time-milliseconds, msdicom-expiry-option, msdicom-expiry-level, ' +
  'X-Request-Id, traceparent, tracestate';
const exposedHeaders =
  'Content-Type, Content-Length, Content-Range, Content-Location, Location, ETag, Warning, Retry-After, ' +
  'Link, X-Total-Count, erroneous-dicom-attributes, X-Request-Id, WWW-Authenticate, Server-Timing';
/** Two hours in seconds: the most that Chromium remembers a preflight. */
const preflightMaxAge = '7200';

/** Whether a request is a preflight, to be answered with 204 before any authentication. */
export function isPreflight(request: {
  readonly method: string;
  readonly headers: RequestHeaders;
}): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.has('origin') &&
    request.headers.has('access-control-request-method')
  );
}

/** Headers of the answer to a preflight from `origin`; an origin not allowed gets no permission. */
export function preflightHeaders(
  origin: string | null,
  config: CorsConfig,
): Readonly<Record<string, string>> {
  const permission = permit(origin, config);
  return {
    Vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
    ...(permission && {
      ...permission,
      'Access-Control-Allow-Methods': allowedMethods,
      'Access-Control-Allow-Headers': allowedHeaders,
      'Access-Control-Max-Age': preflightMaxAge,
    }),
  };
}

/** Headers of any other answer, errors included. `Vary` is to be appended to what is there. */
export function corsHeaders(
  origin: string | null,
  config: CorsConfig,
): Readonly<Record<string, string>> {
  const permission = permit(origin, config);
  return {
    Vary: 'Origin, Accept, Accept-Encoding',
    // Images and frames are embedded by pages that isolate themselves, in requests without Origin.
    ...(config.allowedOrigins.length > 0 && { 'Cross-Origin-Resource-Policy': 'cross-origin' }),
    ...(permission && { ...permission, 'Access-Control-Expose-Headers': exposedHeaders }),
  };
}

/**
 * Whether pages of an origin may use the service. `null`, the origin of sandboxed frames and of files,
 * may not: any page can take it on.
 */
export function allowsOrigin(origin: string, { allowedOrigins }: CorsConfig): boolean {
  if (origin === 'null') return false;
  if (allowedOrigins === '*') return true;
  const asked = normalised(origin);
  return allowedOrigins.some((allowed) =>
    allowed === loopbackOrigins ? isLoopbackOrigin(asked) : normalised(allowed) === asked,
  );
}

function permit(
  origin: string | null,
  config: CorsConfig,
): Readonly<Record<string, string>> | undefined {
  if (origin === null || !allowsOrigin(origin, config)) return undefined;
  if (config.allowedOrigins === '*') return { 'Access-Control-Allow-Origin': '*' };
  return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' };
}

function isLoopbackOrigin(origin: string): boolean {
  return URL.canParse(origin) && isLoopbackHost(new URL(origin).host);
}

function normalised(origin: string): string {
  return origin.toLowerCase().replace(/\/$/, '');
}
