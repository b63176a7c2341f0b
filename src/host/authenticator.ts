/** Who asks: what a host needs to know about a request's sender before a handler runs. */
import type { Permission } from '../auth/roles.js';
import type { Route } from '../dicomweb/route.js';
import { ServiceError } from '../errors.js';

/** Someone who may do something. */
export interface Principal {
  readonly permissions: ReadonlySet<Permission>;
}

/** Finds out who sends a request. @throws ServiceError `unauthenticated` */
export type Authenticator = (request: Request) => Promise<Principal>;

/** Everyone may do everything: for a service that only its developer can reach. */
export const open: Authenticator = async () =>
  await Promise.resolve({ permissions: new Set<Permission>(['read', 'write', 'delete', 'admin']) });

/** Nobody may do anything: a deployment for which authentication was not configured. */
export const locked: Authenticator = async () => {
  await Promise.resolve();
  throw new ServiceError(
    'unauthenticated',
    'Authentication is not configured on this service, so it refuses every request.',
  );
};

/**
 * Lets a request through to its route, or not.
 *
 * @throws ServiceError `unauthenticated` or `forbidden`.
 */
export async function authorize(
  authenticate: Authenticator,
  route: Route,
  request: Request,
): Promise<void> {
  if (route.permission === 'anonymous') return;
  const { permissions } = await authenticate(request);
  if (!permissions.has(route.permission)) {
    throw new ServiceError('forbidden', `The caller lacks the permission to ${route.permission}.`);
  }
}
