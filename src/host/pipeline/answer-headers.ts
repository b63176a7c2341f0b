/** The headers that every answer carries: those of security, of the profile and of CORS. */
import type { CorsConfig } from '../../http/cors.js';
import { corsHeaders, isPreflight, preflightHeaders } from '../../http/cors.js';
import { gzipETag } from '../../http/etag.js';
import type { Reply, ReplyHeaders } from '../../http/reply.js';
import { allowEmbedding, isPage, securityHeaders } from '../../http/security-headers.js';
import { BoundedCache } from '../../bounded-cache.js';
import type { Exchange } from './exchange.js';
import { serverTiming } from './server-timing.js';

/** What answers of one kind have in common. */
interface Common {
  /** Those of security and of the profile, which an answer may say otherwise. */
  readonly defaults: ReplyHeaders;
  /** The same where the answer says nothing of frames. */
  readonly embeddable: ReplyHeaders;
  readonly cors: ReplyHeaders;
  readonly vary: string;
}

/** Kinds that are kept: few, unless somebody makes origins up. */
const mostKinds = 100;
const longestOrigin = 200;

/** The values of `Vary` in one. */
function varying(...names: readonly (string | undefined)[]): string {
  return names.filter((one) => one !== undefined && one !== '').join(', ');
}

/** Puts on an answer what every answer carries, its length when it is at hand, and the tag of its gzip. */
export function answerHeaders(config: CorsConfig): (exchange: Exchange, answer: Reply) => Reply {
  const known = new BoundedCache<Common>(mostKinds);

  function commonOf({ head, profile, origin }: Exchange, contentType: string | null): Common {
    const from = head.headers.get('origin');
    const isSecure = origin.startsWith('https:');
    const preflight = isPreflight(head);
    const forbids = isPage(contentType);
    const kind = `${profile.name} ${isSecure} ${preflight} ${forbids} ${from ?? ''}`;
    const before = known.get(kind);
    if (before !== undefined) return before;
    const defaults = { ...securityHeaders({ isSecure, contentType }), ...profile.headers };
    const { Vary, ...cors } = (preflight ? preflightHeaders : corsHeaders)(from, config);
    const common = {
      defaults,
      embeddable: allowEmbedding({}, defaults, config.allowedOrigins),
      cors,
      vary: Vary ?? '',
    };
    if ((from ?? '').length <= longestOrigin) known.set(kind, common, 1);
    return common;
  }

  return (exchange, { status, headers: own, body }) => {
    const { defaults, embeddable, cors, vary } = commonOf(exchange, own['Content-Type'] ?? null);
    const saysOfFrames =
      own['X-Frame-Options'] !== undefined || own['Content-Security-Policy'] !== undefined;
    const { ETag, 'Content-Encoding': coding } = own;
    const timing = serverTiming(exchange);
    const varies = varying(own['Vary'], vary);
    const headers: Record<string, string> = saysOfFrames
      ? { ...allowEmbedding(own, defaults, config.allowedOrigins), ...cors }
      : { ...embeddable, ...own, ...cors };
    if (varies !== '') headers['Vary'] = varies;
    headers['X-Request-Id'] = exchange.scope.requestId;
    if (body instanceof Uint8Array) headers['Content-Length'] = String(body.byteLength);
    if (timing !== undefined) headers['Server-Timing'] = timing;
    if (ETag !== undefined && coding === 'gzip') headers['ETag'] = gzipETag(ETag);
    return body === undefined ? { status, headers } : { status, headers, body };
  };
}
