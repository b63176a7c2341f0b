/** The one line that the log gets of a request: what its steps have noted, and how its answer went out. */
import { uidsOf } from './audit.js';
import { endedByUs, type Exchange } from './exchange.js';
import type { AccessEntry, Outcome } from './log.js';
import type { BodyEnd } from './observed-body.js';

/** How a body went out, once it is known who ended it. */
function outcomeOf(exchange: Exchange, outcome: Outcome): Outcome {
  if (!exchange.signal.aborted) return outcome;
  if (endedByUs(exchange) === undefined) return 'aborted';
  return outcome === 'complete' ? outcome : 'failed';
}

/** @param auditUids whether the UIDs of studies, series and instances may stand in the log. */
export function accessLine(
  exchange: Exchange,
  status: number,
  { outcome, bytes }: BodyEnd,
  auditUids: boolean,
): AccessEntry {
  const { route, head, params, scope, traceId, started, profile, notes } = exchange;
  const code = notes.code ?? endedByUs(exchange)?.code;
  const stored = notes.stored.note(auditUids);
  const uids = auditUids ? uidsOf(params, head.url) : {};
  return {
    event: 'request',
    requestId: scope.requestId,
    ...(traceId !== undefined && { traceId }),
    route: route.name,
    method: head.method,
    profile: profile.name,
    ...('permission' in route && { permission: route.permission }),
    ...notes.access,
    ...(Object.keys(uids).length > 0 && { uids }),
    ...(stored && { stored }),
    status,
    ...(code !== undefined && { code }),
    outcome: outcomeOf(exchange, outcome),
    bytesIn: notes.bytesIn,
    bytesOut: bytes,
    storageCalls: scope.storageCalls,
    milliseconds: Math.round(performance.now() - started),
  };
}
