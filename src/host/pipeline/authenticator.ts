/** Who asks, and whether they may: what a host finds out before a handler runs. */
import { bearerToken, tokenReader, type TokenRules } from '../../auth/access-token.js';
import type { Principal } from '../../auth/principal.js';
import { allGrants, isGranted, isSomewhere, roleFor, type Reach } from '../../auth/roles.js';
import { signingKeysOf } from '../../auth/signing-keys.js';
import { rememberVerified } from '../../auth/verified-tokens.js';
import type { Route } from '../../dicomweb/route.js';
import { ServiceError } from '../../errors.js';
import { allowsOrigin, type CorsConfig } from '../../http/cors.js';
import { isLoopbackHost } from '../../http/loopback-host.js';
import type { RequestHead } from '../../http/incoming-request.js';

/**
 * Finds out who sends a request.
 *
 * @throws ServiceError `unauthenticated` or `keys-unavailable`
 */
export type Authenticator = (request: RequestHead) => Principal | Promise<Principal>;

const changesNothing: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Everyone on this machine may do everything. A browser on it runs pages of strangers, which must not:
 * a page whose name was made to point here (DNS rebinding) is known by the Host it asks for, one that
 * sends a form or a fetch across origins by its Origin. What it may read, CORS decides.
 */
export function openTo(pages: CorsConfig): Authenticator {
  return ({ method, url, headers }) => {
    if (!isLoopbackHost(headers.get('host') ?? url.host)) {
      throw new ServiceError(
        'foreign-host',
        'A service without tokens answers requests to localhost, 127.0.0.1 and [::1] only. Ask for one of them, or have the service ask for tokens.',
        { parameter: 'Host' },
      );
    }
    const origin = headers.get('origin');
    if (origin !== null && !changesNothing.includes(method) && !allowsOrigin(origin, pages)) {
      throw new ServiceError(
        'foreign-origin',
        'Pages of this origin may not change anything here. DICOMWEB_ALLOWED_ORIGINS names those that may.',
        { parameter: 'Origin' },
      );
    }
    return { grants: allGrants };
  };
}

/** Nobody may do anything: a deployment for which authentication was not configured. */
export const locked: Authenticator = () => {
  throw new ServiceError(
    'unauthenticated',
    'Authentication is not configured on this service, so it refuses every request.',
  );
};

/** Those who bring a token of Entra ID. Keys are fetched with the first token. */
export function bearer(rules: TokenRules): Authenticator {
  const read = rememberVerified(tokenReader(rules, signingKeysOf(rules.issuer)));
  return async ({ headers }) => await read(bearerToken(headers.get('authorization')));
}

/**
 * Lets a caller through to a route, or not. Who may reach some partitions only is refused where a
 * route spans them all, unless it shows each what is theirs. The answer does not depend on whether a partition is there.
 *
 * @returns where the caller has the permission that the route takes.
 * @throws ServiceError `forbidden`, naming the permission that is missing.
 */
export function authorize({ grants }: Principal, route: Route, partition: string): Reach {
  const { permission, scope, partly } = route;
  if (permission === 'anonymous') return 'everywhere';
  const reach = grants.get(permission) ?? new Set();
  if (isGranted(grants, permission, scope === undefined ? partition : undefined)) return reach;
  if (partly === true && isSomewhere(reach)) return reach;
  const role = roleFor[permission];
  const where = grants.has(permission)
    ? scope === undefined
      ? ' in this partition'
      : ' in all partitions'
    : '';
  throw new ServiceError(
    'forbidden',
    `The caller lacks the permission to ${permission}${where}: the role ${role}.`,
    { error: 'insufficient_scope', scope: role },
  );
}
