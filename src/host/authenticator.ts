/** Who asks, and whether they may: what a host finds out before a handler runs. */
import { bearerToken, tokenReader, type TokenRules } from '../auth/access-token.js';
import type { Principal } from '../auth/principal.js';
import { allGrants, isGranted, roleFor } from '../auth/roles.js';
import { signingKeysOf } from '../auth/signing-keys.js';
import type { Route } from '../dicomweb/route.js';
import { ServiceError } from '../errors.js';

/**
 * Finds out who sends a request.
 *
 * @throws ServiceError `unauthenticated` or `keys-unavailable`
 */
export type Authenticator = (request: Request) => Promise<Principal>;

/** Everyone may do everything: for a service that only its developer can reach. */
export const open: Authenticator = async () => await Promise.resolve({ grants: allGrants });

/** Nobody may do anything: a deployment for which authentication was not configured. */
export const locked: Authenticator = async () => {
  await Promise.resolve();
  throw new ServiceError(
    'unauthenticated',
    'Authentication is not configured on this service, so it refuses every request.',
  );
};

/** Those who bring a token of Entra ID. Keys are fetched with the first token. */
export function bearer(rules: TokenRules): Authenticator {
  const read = tokenReader(rules, signingKeysOf(rules.issuer));
  return async ({ headers }) => await read(bearerToken(headers.get('authorization')));
}

/**
 * Lets a caller through to a route, or not. Who may reach some partitions only is refused where a
 * route spans them all. The answer does not depend on whether a partition is there.
 *
 * @throws ServiceError `forbidden`, naming the permission that is missing.
 */
export function authorize({ grants }: Principal, route: Route, partition: string): void {
  const { permission, scope } = route;
  if (permission === 'anonymous') return;
  if (isGranted(grants, permission, scope === undefined ? partition : undefined)) return;
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
