/**
 * What every request goes through, on both hosts: request id → profile → authenticate and authorise →
 * limits → handler → problem → headers → access log. Nothing of a body is read before its sender is
 * known to be allowed to send it.
 */
import { ps318, profileOf, type Profile } from '../dicomweb/profile.js';
import type { Route } from '../dicomweb/route.js';
import type { Services } from '../dicomweb/services.js';
import { ServiceError } from '../errors.js';
import { chunksOf, discardBody, limitBody } from '../http/body.js';
import { acceptsGzip, gzipBody, isCompressible } from '../http/content-encoding.js';
import { corsHeaders, isPreflight, preflightHeaders } from '../http/cors.js';
import { gzipETag } from '../http/etag.js';
import { publicOrigin, type PublicAddress } from '../http/origin.js';
import { problemResponse } from '../http/problem.js';
import { checkHead } from '../http/request-head.js';
import { allowEmbedding, securityHeaders } from '../http/security-headers.js';
import { defaultPartition, parsePartition, type Partition } from '../storage/archive/keys.js';
import { auditHeadersOf, callerOf, StoreTally, uidsOf } from './audit.js';
import { authorize, type Authenticator } from './authenticator.js';
import type { Config } from './config.js';
import { describeError, type AccessEntry, type Log, type Outcome } from './log.js';
import { observeBody, type BodyEnd } from './observed-body.js';
import { requestIdOf, traceOf } from './request-id.js';
import { withinScope, type RequestScope } from './request-scope.js';

type Params = Readonly<Record<string, string>>;

/** What the host answers by itself, to anyone, whether storage is there or not. */
export interface HostRoute {
  readonly name: string;
  /** @throws ServiceError to refuse. */
  readonly answer: () => Response;
}

/** Answers a request for a route; never rejects. */
export type Pipeline = (
  route: Route | HostRoute,
  request: Request,
  params: Params,
  signal: AbortSignal,
) => Promise<Response>;

export interface PipelineParts {
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

/** The Microsoft server refuses markup in query strings, as a guard against script injection. */
function checkQuery(profile: Profile, request: Request): void {
  if (profile.segment === '' || !/<|%3c/i.test(new URL(request.url).search)) return;
  throw new ServiceError('invalid-query', "The query string must not contain '<'.");
}

/** Refuses a body that announces itself as too large before any of it is read. */
function checkLength(request: Request, maxBytes: number): void {
  const length = request.headers.get('content-length');
  if (length === null || Number(length) <= maxBytes) return;
  throw new ServiceError('payload-too-large', `The body is larger than ${maxBytes} bytes.`, {
    limit: 'maxBodyBytes',
    limitValue: maxBytes,
  });
}

function partitionOf(params: Params, enabled: boolean): Partition {
  const name = params['partition'];
  if (name === undefined) return defaultPartition;
  if (enabled) return parsePartition(name);
  throw new ServiceError('invalid-partition', 'Data partitions are not enabled on this service.', {
    parameter: 'partition',
  });
}

function baseUrlOf(
  request: Request,
  profile: Profile,
  params: Params,
  address: PublicAddress,
): string {
  const version = profile.segment === '' ? '' : `/${profile.segment}`;
  const name = params['partition'];
  const partition = name === undefined ? '' : `/partitions/${encodeURIComponent(name)}`;
  return publicOrigin(request, address) + version + partition;
}

/** What becomes known of a request on its way, for the log. */
interface Account {
  profile: Profile;
  code?: string;
  /** Bytes of the body that were read. */
  bytesIn: number;
  /** From the caller's token, and from what the caller was let into. */
  access: Pick<AccessEntry, 'caller' | 'partition' | 'audit'>;
  readonly stored: StoreTally;
  readonly noteFault: (error: unknown) => void;
}

/** Why the host ended the request, if not its client did. */
function endedByUs(signal: AbortSignal): ServiceError | undefined {
  const reason: unknown = signal.reason;
  return reason instanceof ServiceError ? reason : undefined;
}

/** How a body went out, once it is known who ended it. */
function outcomeOf(signal: AbortSignal, outcome: Outcome): Outcome {
  if (!signal.aborted) return outcome;
  if (endedByUs(signal) === undefined) return 'aborted';
  return outcome === 'complete' ? outcome : 'failed';
}

/** What a request ended with: after its end, whatever else failed follows from that. */
function endOf(signal: AbortSignal, thrown: unknown): unknown {
  const ours = endedByUs(signal);
  if (ours !== undefined) return ours;
  if (!signal.aborted || thrown instanceof ServiceError) return thrown;
  return new ServiceError('client-aborted', 'The client went away.', {}, thrown);
}

/** Counts what is read of a body. */
async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  account: Account,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    account.bytesIn += chunk.byteLength;
    yield chunk;
  }
}

/** Makes the pipeline of a process. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { config, authenticate, services, log } = parts;
  const { auditUids, limits } = config;

  /** Lets the caller in, or not. @returns the partition that the request is about. */
  async function admit(
    route: Route,
    request: Request,
    params: Params,
    account: Account,
  ): Promise<Partition> {
    if (route.permission === 'anonymous') return partitionOf(params, config.partitions);
    const principal = await authenticate(request);
    const caller = callerOf(principal);
    if (caller !== undefined) account.access = { caller };
    const partition = partitionOf(params, config.partitions);
    authorize(principal, route, partition);
    const audit = auditHeadersOf(request.headers);
    account.access = {
      ...account.access,
      ...(route.scope === undefined && { partition }),
      ...(Object.keys(audit).length > 0 && { audit }),
    };
    return partition;
  }

  async function handle(
    route: Route | HostRoute,
    request: Request,
    params: Params,
    account: Account,
    signal: AbortSignal,
  ): Promise<Response> {
    checkHead(request.headers);
    if (isPreflight(request)) return new Response(null, { status: 204 });
    if ('answer' in route) return route.answer();
    const { profile } = account;
    const partition = await admit(route, request, params, account);
    checkQuery(profile, request);
    checkLength(request, limits.requestBytes);
    return await route.handler({
      request,
      params,
      body: counted(limitBody(chunksOf(request.body), limits.requestBytes), account),
      profile,
      partition,
      baseUrl: baseUrlOf(request, profile, params, config),
      services: await services(),
      noteStored: (study) => account.stored.add(study),
      noteFault: account.noteFault,
      signal,
    });
  }

  /** The response with what every response carries; `onEnd` is told when its body has gone out. */
  function finish(
    response: Response,
    { request, profile, requestId }: { request: Request; profile: Profile; requestId: string },
    onEnd: (end: BodyEnd) => void,
  ): Response {
    const headers = new Headers(response.headers);
    const ofAll = {
      ...securityHeaders({
        isSecure: publicOrigin(request, config).startsWith('https:'),
        contentType: headers.get('content-type'),
      }),
      ...profile.headers,
    };
    for (const [name, value] of Object.entries(ofAll)) {
      if (!headers.has(name)) headers.set(name, value);
    }
    if (!response.headers.has('X-Frame-Options')) allowEmbedding(headers, config.allowedOrigins);
    const origin = request.headers.get('origin');
    const cors = isPreflight(request) ? preflightHeaders : corsHeaders;
    for (const [name, value] of Object.entries(cors(origin, config))) {
      if (name === 'Vary') headers.append(name, value);
      else headers.set(name, value);
    }
    headers.set('X-Request-Id', requestId);
    const { status, statusText } = response;
    if (response.body === null) {
      onEnd({ outcome: 'complete', bytes: 0 });
      return new Response(null, { status, statusText, headers });
    }
    let { body } = response;
    if (isCompressible(headers) && acceptsGzip(request.headers.get('accept-encoding'))) {
      body = gzipBody(body);
      headers.set('Content-Encoding', 'gzip');
      headers.delete('Content-Length');
    }
    const etag = headers.get('ETag');
    if (etag !== null && headers.get('Content-Encoding') === 'gzip') {
      headers.set('ETag', gzipETag(etag));
    }
    if (request.method === 'HEAD') {
      discardBody(body).then(
        () => onEnd({ outcome: 'complete', bytes: 0 }),
        (error: unknown) => onEnd({ outcome: 'failed', bytes: 0, error }),
      );
      return new Response(null, { status, statusText, headers });
    }
    return new Response(observeBody(body, onEnd), { status, statusText, headers });
  }

  async function answer(
    route: Route | HostRoute,
    request: Request,
    params: Params,
    signal: AbortSignal,
    scope: RequestScope,
  ): Promise<Response> {
    const started = performance.now();
    const { requestId } = scope;
    const logFault = (error: unknown) =>
      log({ event: 'fault', requestId, route: route.name, error: describeError(error) });
    const account: Account = {
      profile: ps318,
      access: {},
      bytesIn: 0,
      stored: new StoreTally(),
      noteFault: logFault,
    };
    let response: Response;
    try {
      account.profile = profileOf(params['version']);
      response = await handle(route, request, params, account, signal);
    } catch (thrown) {
      const error = endOf(signal, thrown);
      account.code = error instanceof ServiceError ? error.code : 'internal-error';
      response = problemResponse(error, { requestId, format: account.profile.problemFormat });
      if (response.status >= 500) logFault(error);
    }
    const { profile, code, access } = account;
    return finish(response, { request, profile, requestId }, ({ outcome, bytes, error }) => {
      const endCode = code ?? endedByUs(signal)?.code;
      if (outcome === 'failed' && !signal.aborted) logFault(error);
      const traceId = traceOf(request.headers)?.traceId;
      const stored = account.stored.note(auditUids);
      const uids = auditUids ? uidsOf(params, request.url) : {};
      log({
        event: 'request',
        requestId,
        ...(traceId !== undefined && { traceId }),
        route: route.name,
        method: request.method,
        profile: profile.name,
        ...('permission' in route && { permission: route.permission }),
        ...access,
        ...(Object.keys(uids).length > 0 && { uids }),
        ...(stored && { stored }),
        status: response.status,
        ...(endCode !== undefined && { code: endCode }),
        outcome: outcomeOf(signal, outcome),
        bytesIn: account.bytesIn,
        bytesOut: bytes,
        storageCalls: scope.storageCalls,
        milliseconds: Math.round(performance.now() - started),
      });
    });
  }

  return async (route, request, params, signal) => {
    const { headers } = request;
    const traceparent = traceOf(headers)?.traceparent;
    const scope: RequestScope = {
      requestId: requestIdOf(headers),
      ...(traceparent !== undefined && { traceparent }),
      storageCalls: 0,
    };
    return await withinScope(scope, () => answer(route, request, params, signal, scope));
  };
}
