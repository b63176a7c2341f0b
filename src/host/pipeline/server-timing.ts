/**
 * `Server-Timing` (W3C Server Timing): where the time of an answer went until it began, for those who
 * ask for it with `Prefer: server-timing` and were let in. Durations and a number of calls, nothing else.
 */
import type { Exchange } from './exchange.js';
import { storageMilliseconds } from './request-scope.js';

/** A preference among others (RFC 7240 §2). */
const preference = /(?:^|[,;])\s*server-timing\s*(?:$|[,;])/i;

function milliseconds(value: number): string {
  return value.toFixed(1);
}

/** The header; `undefined` for those who do not ask, or were not let in. */
export function serverTiming({ head, notes, scope, started }: Exchange): string | undefined {
  if (notes.auth === undefined) return undefined;
  const prefer = head.headers.get('prefer');
  if (prefer === null || !preference.test(prefer)) return undefined;
  return [
    `auth;dur=${milliseconds(notes.auth)}`,
    `storage;dur=${milliseconds(storageMilliseconds(scope))};desc="${scope.storageCalls} calls"`,
    `total;dur=${milliseconds(performance.now() - started)}`,
  ].join(', ');
}
