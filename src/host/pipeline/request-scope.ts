/**
 * The request on whose behalf code runs, known across awaits: what storage is called for it, and the
 * marks by which calls are found again in the logs of storage.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface RequestScope {
  readonly requestId: string;
  /** As the caller sent it (W3C Trace Context). */
  readonly traceparent?: string;
  /** Calls to storage so far. */
  storageCalls: number;
}

const scopes = new AsyncLocalStorage<RequestScope>();

/** Runs what belongs to a request. */
export function withinScope<T>(scope: RequestScope, run: () => T): T {
  return scopes.run(scope, run);
}

/** Counts a call to storage for the request that causes it, if one does. */
export function countStorageCall(): void {
  const scope = scopes.getStore();
  if (scope !== undefined) scope.storageCalls += 1;
}

/** Headers that tie a call to storage to the request that causes it. */
export function correlationHeaders(): Readonly<Record<string, string>> {
  const scope = scopes.getStore();
  if (scope === undefined) return {};
  return {
    'x-ms-client-request-id': scope.requestId,
    ...(scope.traceparent !== undefined && { traceparent: scope.traceparent }),
  };
}
