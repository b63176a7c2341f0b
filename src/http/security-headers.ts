/** Headers that tell browsers what not to do with an answer. Pure functions, for the pipeline. */

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
 * Which pages may show an answer within themselves: those that may read it. `X-Frame-Options` cannot name them,
 * so the policy does, and the header goes.
 *
 * @param headers - changed in place.
 */
export function allowEmbedding(headers: Headers, allowedOrigins: readonly string[] | '*'): void {
  const forbidden =
    headers.has('X-Frame-Options') || headers.get('Content-Security-Policy')?.includes(ancestorsOf);
  if (allowedOrigins.length === 0 || forbidden !== true) return;
  headers.delete('X-Frame-Options');
  const ancestors = allowedOrigins === '*' ? '*' : ["'self'", ...allowedOrigins].join(' ');
  const policy = (headers.get('Content-Security-Policy') ?? '')
    .split(';')
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !directive.startsWith(ancestorsOf));
  headers.set('Content-Security-Policy', [...policy, `frame-ancestors ${ancestors}`].join('; '));
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
    ...(/^(?:text\/html|application\/xhtml\+xml|image\/svg\+xml)\b/i.test(contentType ?? '') && {
      'Content-Security-Policy': pagePolicy,
    }),
  };
}
