/** Headers that tell browsers what not to do with an answer. Pure functions, for the pipeline. */
import { loopbackOrigins } from './cors.js';
import type { ReplyHeaders } from './reply.js';

/** A year, in seconds. */
const transportMaxAge = 31_536_000;
/** A page may show itself and nothing else: no scripts, no forms, no frames around it. */
const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** What is known of an answer. */
interface Answer {
  /** Whether the client reached the service by https. */
  readonly isSecure: boolean;
  readonly contentType: string | null;
}

const ancestorsOf = 'frame-ancestors ';

/**
 * The headers of an answer over those that answers have by default. Which pages may show it within themselves:
 * those that may read it, unless the answer says otherwise. `X-Frame-Options` cannot name them, so the
 * policy does, and the header goes.
 */
export function allowEmbedding(
  own: ReplyHeaders,
  defaults: ReplyHeaders,
  allowedOrigins: readonly string[] | '*',
): ReplyHeaders {
  const { 'X-Frame-Options': frames, ...headers }: ReplyHeaders = { ...defaults, ...own };
  const policyThere = headers['Content-Security-Policy'] ?? '';
  const forbidden = frames !== undefined || policyThere.includes(ancestorsOf);
  if (own['X-Frame-Options'] !== undefined || allowedOrigins.length === 0 || !forbidden) {
    return { ...defaults, ...own };
  }
  const ancestors =
    allowedOrigins === '*'
      ? '*'
      : ["'self'", ...allowedOrigins.flatMap((origin) => sourcesOf(origin))].join(' ');
  const policy = policyThere
    .split(';')
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !directive.startsWith(ancestorsOf));
  return {
    ...headers,
    'Content-Security-Policy': [...policy, `${ancestorsOf}${ancestors}`].join('; '),
  };
}

/** An allowed origin as sources of a policy (CSP Level 3 §2.3.1), which know no address of IPv6. */
function sourcesOf(origin: string): readonly string[] {
  if (origin !== loopbackOrigins) return [origin];
  return ['http', 'https'].flatMap((scheme) =>
    ['localhost', '127.0.0.1'].map((host) => `${scheme}://${host}:*`),
  );
}

/** Whether a browser would run what is in an answer of this type. */
export function isPage(contentType: string | null): boolean {
  return /^(?:text\/html|application\/xhtml\+xml|image\/svg\+xml)\b/i.test(contentType ?? '');
}

/** The headers of an answer; one that is there already stays. */
export function securityHeaders({
  isSecure,
  contentType,
}: Answer): Readonly<Record<string, string>> {
  return {
    'X-Content-Type-Options': 'nosniff',
    // Patients' data: no shared cache keeps it, and none uses it without asking.
    'Cache-Control': 'private, no-cache',
    // UIDs stand in URLs.
    'Referrer-Policy': 'no-referrer',
    ...(isSecure && { 'Strict-Transport-Security': `max-age=${transportMaxAge}` }),
    ...(isPage(contentType) && { 'Content-Security-Policy': pagePolicy }),
  };
}
