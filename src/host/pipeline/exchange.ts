/**
 * The one context of a request: what is known of it when it arrives, taken apart once, and a sheet on
 * which the steps of the pipeline note what the log is to tell.
 */
import { knownProfile, ps318, type Profile } from '../../dicomweb/profile.js';
import type { Route } from '../../dicomweb/route.js';
import { ServiceError } from '../../errors.js';
import { headOf, type IncomingRequest, type RequestHead } from '../../http/incoming-request.js';
import { publicOrigin, type PublicAddress } from '../../http/origin.js';
import type { Reply } from '../../http/reply.js';
import { StoreTally } from './audit.js';
import type { AccessEntry } from './log.js';
import { requestIdOf, traceOf } from './request-id.js';
import { newScope, type RequestScope } from './request-scope.js';
import { takeShareSecret } from './shared-access.js';

export type Params = Readonly<Record<string, string>>;

/** What the host answers by itself, to anyone, whether storage is there or not. */
export interface HostRoute {
  readonly name: string;
  /** An error refuses: to throw one costs as much as the rest of a 404. */
  readonly answer: () => Reply | ServiceError;
}

/** What becomes known on the way, each by the step that finds it out. */
export interface Notes {
  /** From the caller's token, and from what the caller was let into. */
  access: Pick<
    AccessEntry,
    'caller' | 'share' | 'shared' | 'partition' | 'audit' | 'operation' | 'updates'
  >;
  /** Milliseconds until the caller was let in; absent while that has not been decided. */
  auth?: number;
  /** Bytes of the body that were read. */
  bytesIn: number;
  readonly stored: StoreTally;
  /** Why the request was abandoned, if it was. */
  code?: string;
}

/** A request on its way. */
export interface Exchange {
  readonly route: Route | HostRoute;
  /** Without the secret of a link in its URL. */
  readonly head: RequestHead;
  /** The secret of a link that the request came with; it is in nothing else of the exchange but its headers. */
  readonly secret: string | undefined;
  readonly body: IncomingRequest['body'];
  readonly params: Params;
  readonly signal: AbortSignal;
  /** By `performance.now()`. */
  readonly started: number;
  readonly traceId: string | undefined;
  readonly scope: RequestScope;
  /** The public base of its URL. */
  readonly origin: string;
  /** That of its version; of an unknown version the standard's. */
  readonly profile: Profile;
  readonly notes: Notes;
}

/** What a host hands over. */
export type Asked = readonly [
  route: Route | HostRoute,
  request: IncomingRequest,
  params: Params,
  signal: AbortSignal,
];

/** Takes a request apart. */
export function begin([route, request, params, signal]: Asked, address: PublicAddress): Exchange {
  const { version } = params;
  const { head, secret } = takeShareSecret(headOf(request));
  const trace = traceOf(head.headers);
  return {
    route,
    head,
    secret,
    body: request.body,
    params,
    signal,
    started: performance.now(),
    traceId: trace?.traceId,
    scope: newScope(requestIdOf(head.headers, trace), trace?.traceparent),
    origin: publicOrigin(head, address),
    profile: version === undefined ? ps318 : (knownProfile(version) ?? ps318),
    notes: { access: {}, bytesIn: 0, stored: new StoreTally() },
  };
}

/** Absolute URL that the resource paths of this version and partition follow. */
export function baseUrlOf({ origin, profile, params }: Exchange): string {
  const version = profile.segment === '' ? '' : `/${profile.segment}`;
  const name = params['partition'];
  const partition = name === undefined ? '' : `/partitions/${encodeURIComponent(name)}`;
  return origin + version + partition;
}

/** Why the host ended the request, if not its client did. */
export function endedByUs({ signal }: Exchange): ServiceError | undefined {
  const reason: unknown = signal.reason;
  return reason instanceof ServiceError ? reason : undefined;
}

/** What a request ended with: after its end, whatever else failed follows from that. */
export function endOf(exchange: Exchange, thrown: unknown): unknown {
  const ours = endedByUs(exchange);
  if (ours !== undefined) return ours;
  if (!exchange.signal.aborted || thrown instanceof ServiceError) return thrown;
  return new ServiceError('client-aborted', 'The client went away.', {}, thrown);
}
