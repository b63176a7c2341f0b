/**
 * What every request goes through, on both hosts, as steps in a row: each takes what is known of the
 * request and answers, or lets it pass on. Nothing of a body is read before its sender is known to be
 * allowed to send it.
 */
import { enterPartition, partitionOf } from '../../dicomweb/partitions/enter-partition.js';
import { ps318, profileOf, type Profile } from '../../dicomweb/profile.js';
import type { Route } from '../../dicomweb/route.js';
import type { Services } from '../../dicomweb/services.js';
import { ServiceError } from '../../errors.js';
import { discardBody, receivedBody, tooLarge } from '../../http/body.js';
import { acceptsGzip, gzipBody, isCompressible } from '../../http/content-encoding.js';
import { corsHeaders, isPreflight, preflightHeaders } from '../../http/cors.js';
import { gzipETag } from '../../http/etag.js';
import type { IncomingRequest } from '../../http/incoming-request.js';
import { publicOrigin } from '../../http/origin.js';
import { problemResponse } from '../../http/problem.js';
import { reply, type Reply } from '../../http/reply.js';
import { checkHead } from '../../http/request-head.js';
import { allowEmbedding, securityHeaders } from '../../http/security-headers.js';
import type { Partition } from '../../storage/archive/keys.js';
import { auditNoteOf, callerOf, StoreTally, uidsOf } from './audit.js';
import type { Reach } from '../../auth/roles.js';
import { authorize, type Authenticator } from './authenticator.js';
import type { Config } from '../config.js';
import { describeError, type AccessEntry, type Log, type Outcome } from './log.js';
import type { Page } from './page.js';
import { observeBody, type BodyEnd } from './observed-body.js';
import { requestIdOf, traceOf } from './request-id.js';
import { withinScope, type RequestScope } from './request-scope.js';
import { narrowToShare, shareOf, takeShareSecret } from './shared-access.js';

type Params = Readonly<Record<string, string>>;

/** What the host answers by itself, to anyone, whether storage is there or not. */
export interface HostRoute {
  readonly name: string;
  /** @throws ServiceError to refuse. */
  readonly answer: () => Reply;
}

/** Answers a request for a route; never rejects. */
export type Pipeline = (
  route: Route | HostRoute,
  request: IncomingRequest,
  params: Params,
  signal: AbortSignal,
) => Promise<Reply>;

export interface PipelineParts {
  /** The page at the root; none when left out. */
  readonly page?: Page;
  readonly config: Pick<
    Config,
    | 'auth'
    | 'publicUrl'
    | 'trustForwardedHeaders'
    | 'allowedOrigins'
    | 'partitions'
    | 'limits'
    | 'importKeepsFiles'
    | 'auditUids'
  >;
  readonly authenticate: Authenticator;
  /** Asked for on every request that reaches a handler. */
  readonly services: () => Promise<Services>;
  readonly log: Log;
}

/** A request on its way, and what is noted of it for the log. */
interface Exchange {
  readonly route: Route | HostRoute;
  /** Without the secret of a link in its URL; narrowed to what the link is to. */
  request: IncomingRequest;
  readonly params: Params;
  readonly signal: AbortSignal;
  readonly started: number;
  readonly traceId: string | undefined;
  readonly scope: RequestScope;
  /** The public base of its URL. */
  readonly origin: string;
  readonly stored: StoreTally;
  profile: Profile;
  /** From the caller's token, and from what the caller was let into. */
  /** Where the caller has the permission that the route takes. */
  reach: Reach;
  access: Pick<AccessEntry, 'caller' | 'share' | 'shared' | 'partition' | 'audit'>;
  /** The secret of a link that the request came with; it is in nothing else of the exchange but its headers. */
  readonly secret: string | undefined;
  /** Bytes of the body that were read. */
  bytesIn: number;
  /** Why it was abandoned, if it was. */
  code?: string;
}

/** The Microsoft server refuses markup in query strings, as a guard against script injection. */
function checkQuery({ profile, request }: Exchange): void {
  if (profile.segment === '' || !/<|%3c/i.test(new URL(request.url).search)) return;
  throw new ServiceError('invalid-query', "The query string must not contain '<'.");
}

/** Refuses a body that announces itself as too large before any of it is read. */
function checkLength({ request }: Exchange, maxBytes: number): void {
  const length = request.headers.get('content-length');
  if (length !== null && Number(length) > maxBytes) throw tooLarge(maxBytes);
}

function baseUrlOf({ origin, profile, params }: Exchange): string {
  const version = profile.segment === '' ? '' : `/${profile.segment}`;
  const name = params['partition'];
  const partition = name === undefined ? '' : `/partitions/${encodeURIComponent(name)}`;
  return origin + version + partition;
}

/** Why the host ended the request, if not its client did. */
function endedByUs({ signal }: Exchange): ServiceError | undefined {
  const reason: unknown = signal.reason;
  return reason instanceof ServiceError ? reason : undefined;
}

/** How a body went out, once it is known who ended it. */
function outcomeOf(exchange: Exchange, outcome: Outcome): Outcome {
  if (!exchange.signal.aborted) return outcome;
  if (endedByUs(exchange) === undefined) return 'aborted';
  return outcome === 'complete' ? outcome : 'failed';
}

/** What a request ended with: after its end, whatever else failed follows from that. */
function endOf(exchange: Exchange, thrown: unknown): unknown {
  const { signal } = exchange;
  const ours = endedByUs(exchange);
  if (ours !== undefined) return ours;
  if (!signal.aborted || thrown instanceof ServiceError) return thrown;
  return new ServiceError('client-aborted', 'The client went away.', {}, thrown);
}

/** The answer in gzip, where that is worth it and taken. */
async function coded({ request }: Exchange, answer: Reply): Promise<Reply> {
  const { status, headers, body } = answer;
  const takesGzip = acceptsGzip(request.headers.get('accept-encoding'));
  if (body === undefined || !takesGzip || !isCompressible(answer)) return answer;
  const others = Object.entries(headers).filter(([name]) => name !== 'Content-Length');
  return {
    status,
    headers: { ...Object.fromEntries(others), 'Content-Encoding': 'gzip' },
    body: await gzipBody(body),
  };
}

/** The answer with its length, when it is at hand, and with the tag of its gzip, when it is one. */
function measured({ status, headers, body }: Reply): Reply {
  const { ETag, 'Content-Encoding': coding } = headers;
  return {
    status,
    headers: {
      ...headers,
      ...(body instanceof Uint8Array && { 'Content-Length': String(body.byteLength) }),
      ...(ETag !== undefined && coding === 'gzip' && { ETag: gzipETag(ETag) }),
    },
    ...(body !== undefined && { body }),
  };
}

/** Makes the pipeline of a process. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { config, authenticate, services, log } = parts;
  const { auditUids, limits } = config;

  function begin(...[route, received, params, signal]: Parameters<Pipeline>): Exchange {
    const { request, secret } = takeShareSecret(received);
    const trace = traceOf(request.headers);
    const scope: RequestScope = {
      requestId: requestIdOf(request.headers),
      ...(trace !== undefined && { traceparent: trace.traceparent }),
      storageCalls: 0,
    };
    return {
      ...{ route, request, secret, params, signal, scope },
      started: performance.now(),
      traceId: trace?.traceId,
      origin: publicOrigin(request, config),
      stored: new StoreTally(),
      profile: ps318,
      reach: new Set(),
      access: {},
      bytesIn: 0,
    };
  }

  function logFault({ route, scope }: Exchange, error: unknown): void {
    const { requestId } = scope;
    log({ event: 'fault', requestId, route: route.name, error: describeError(error) });
  }

  /** Lets the caller in, or not. @returns the partition that the request is about. */
  async function admit(exchange: Exchange, route: Route): Promise<Partition> {
    const named = () =>
      partitionOf(exchange.params['partition'], config.partitions, exchange.profile.partitions);
    if (route.permission === 'anonymous') return named();
    if (exchange.secret !== undefined) {
      // Whoever else asks: a link opens what it is to, and nothing more.
      const partition = named();
      const share = await shareOf(await services(), partition, exchange.secret);
      exchange.reach = new Set([partition]);
      exchange.access = { share: share.id, partition };
      exchange.request = narrowToShare(route, exchange.request, exchange.params, share);
      exchange.access = { ...exchange.access, ...auditNoteOf(exchange.request.headers) };
      return partition;
    }
    const principal = await authenticate(exchange.request);
    const caller = callerOf(principal);
    if (caller !== undefined) exchange.access = { caller };
    const partition = named();
    exchange.reach = authorize(principal, route, partition);
    exchange.access = {
      ...exchange.access,
      ...(route.scope === undefined && { partition }),
      ...auditNoteOf(exchange.request.headers),
    };
    return partition;
  }

  /** The answer of a route's handler. */
  async function handle(exchange: Exchange, route: Route, partition: Partition): Promise<Reply> {
    const { request, params, profile, reach, stored, signal } = exchange;
    const made = await services();
    await enterPartition(partition, route, profile.partitions, made);
    return await route.handler({
      ...{ request, params, profile, partition, reach, signal },
      body: receivedBody(request.body, limits.requestBytes, (bytes) => {
        exchange.bytesIn += bytes;
      }),
      baseUrl: baseUrlOf(exchange),
      services: made,
      ...(exchange.access.caller && { caller: exchange.access.caller }),
      noteStored: (study) => stored.add(study),
      noteShare: (id, shared) => {
        exchange.access = { ...exchange.access, share: id, ...(auditUids && shared && { shared }) };
      },
      noteFault: (error) => logFault(exchange, error),
    });
  }

  /** Profile → head → preflight? → caller → limits → handler. @throws what any of them throws. */
  async function serve(exchange: Exchange): Promise<Reply> {
    const { route, request, params } = exchange;
    exchange.profile = profileOf(params['version']);
    checkHead(request.headers);
    if (isPreflight(request)) return reply(null, { status: 204 });
    if ('answer' in route) return route.answer();
    const partition = await admit(exchange, route);
    checkQuery(exchange);
    checkLength(exchange, limits.requestBytes);
    return await handle(exchange, route, partition);
  }

  /** The problem in place of an answer. */
  function refuse(exchange: Exchange, thrown: unknown): Reply {
    const error = endOf(exchange, thrown);
    exchange.code = error instanceof ServiceError ? error.code : 'internal-error';
    const { scope, profile } = exchange;
    const problem = problemResponse(error, {
      requestId: scope.requestId,
      format: profile.problemFormat,
    });
    if (problem.status >= 500) logFault(exchange, error);
    return problem;
  }

  /** The answer with what every answer carries. */
  function dressed({ request, profile, scope, origin }: Exchange, answer: Reply): Reply {
    const security = securityHeaders({
      isSecure: origin.startsWith('https:'),
      contentType: answer.headers['Content-Type'] ?? null,
    });
    const cors = isPreflight(request) ? preflightHeaders : corsHeaders;
    const { Vary: varies, ...ofCors } = cors(request.headers.get('origin'), config);
    const { Vary: variesItself } = answer.headers;
    const Vary = [variesItself, varies].filter((names) => names !== undefined).join(', ');
    const defaults = { ...security, ...profile.headers };
    const headers = {
      ...allowEmbedding(answer.headers, defaults, config.allowedOrigins),
      ...ofCors,
      ...(Vary !== '' && { Vary }),
      'X-Request-Id': scope.requestId,
    };
    return { ...answer, headers };
  }

  /** The one line that the log gets of a request, when its answer has gone out. */
  function tell(exchange: Exchange, status: number, { outcome, bytes, error }: BodyEnd): void {
    const { route, request, params, signal, scope, traceId, started } = exchange;
    const code = exchange.code ?? endedByUs(exchange)?.code;
    if (outcome === 'failed' && !signal.aborted) logFault(exchange, error);
    const stored = exchange.stored.note(auditUids);
    const uids = auditUids ? uidsOf(params, request.url) : {};
    log({
      event: 'request',
      requestId: scope.requestId,
      ...(traceId !== undefined && { traceId }),
      route: route.name,
      method: request.method,
      profile: exchange.profile.name,
      ...('permission' in route && { permission: route.permission }),
      ...exchange.access,
      ...(Object.keys(uids).length > 0 && { uids }),
      ...(stored && { stored }),
      status,
      ...(code !== undefined && { code }),
      outcome: outcomeOf(exchange, outcome),
      bytesIn: exchange.bytesIn,
      bytesOut: bytes,
      storageCalls: scope.storageCalls,
      milliseconds: Math.round(performance.now() - started),
    });
  }

  /** The answer as the host gets it, watched until its end. */
  function watched(exchange: Exchange, { status, headers, body }: Reply): Reply {
    const onEnd = (end: BodyEnd) => tell(exchange, status, end);
    if (body !== undefined && exchange.request.method === 'HEAD') {
      const discarded = body instanceof Uint8Array ? Promise.resolve() : discardBody(body);
      discarded.then(
        () => onEnd({ outcome: 'complete', bytes: 0 }),
        (error: unknown) => onEnd({ outcome: 'failed', bytes: 0, error }),
      );
      return { status, headers };
    }
    if (body === undefined || body instanceof Uint8Array) {
      onEnd({ outcome: 'complete', bytes: body?.byteLength ?? 0 });
      return { status, headers, ...(body !== undefined && { body }) };
    }
    const within = <T>(work: () => T) => withinScope(exchange.scope, work);
    return { status, headers, body: observeBody(body, { onEnd, within }) };
  }

  return async (...asked) => {
    const exchange = begin(...asked);
    const answer = await withinScope(exchange.scope, async () => {
      try {
        return await serve(exchange);
      } catch (thrown) {
        return refuse(exchange, thrown);
      }
    });
    return watched(exchange, measured(await coded(exchange, dressed(exchange, answer))));
  };
}
