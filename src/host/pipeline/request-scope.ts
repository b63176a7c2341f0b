/**
 * The request on whose behalf code runs, known across awaits: what storage is called for it and how long
 * that takes, and the marks by which calls are found again in the logs of storage.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export interface RequestScope {
  readonly requestId: string;
  /** As the caller sent it (W3C Trace Context). */
  readonly traceparent?: string;
  /** Calls to storage so far. */
  storageCalls: number;
  /** Time in which at least one of them had no answer yet. */
  readonly waiting: Waiting;
}

/** A watch that runs while anything is waited for. */
export interface Waiting {
  milliseconds: number;
  calls: number;
  /** When the first of `calls` began, by `performance.now()`. */
  since: number;
}

/** The scope of a request that has just come. */
export function newScope(requestId: string, traceparent?: string): RequestScope {
  return {
    requestId,
    ...(traceparent !== undefined && { traceparent }),
    storageCalls: 0,
    waiting: { milliseconds: 0, calls: 0, since: 0 },
  };
}

const scopes = new AsyncLocalStorage<RequestScope>();

/** Runs what belongs to a request: calls to storage that it causes, however late, are counted for it. */
export function withinScope<T>(scope: RequestScope, run: () => T): T {
  return scopes.run(scope, run);
}

/** Counts a call to storage for the request that causes it, if one does. */
export function countStorageCall(): void {
  const scope = scopes.getStore();
  if (scope !== undefined) scope.storageCalls += 1;
}

/**
 * Begins a wait for the answer of storage, for the request that causes it.
 *
 * @returns what ends it.
 */
export function waitForStorage(): () => void {
  const waiting = scopes.getStore()?.waiting;
  if (waiting === undefined) return () => undefined;
  if (waiting.calls === 0) waiting.since = performance.now();
  waiting.calls += 1;
  return () => {
    waiting.calls -= 1;
    if (waiting.calls === 0) waiting.milliseconds += performance.now() - waiting.since;
  };
}

/** How long a request has waited for storage so far, whatever the number of calls at a time. */
export function storageMilliseconds({ waiting }: RequestScope): number {
  const running = waiting.calls === 0 ? 0 : performance.now() - waiting.since;
  return waiting.milliseconds + running;
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
