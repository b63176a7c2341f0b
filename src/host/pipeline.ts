/**
 * What every request goes through, on both hosts: request id → profile → authenticate and authorise →
 * limits → handler → problem → headers → access log.
 */
import { ps318, profileOf, type Profile } from '../dicomweb/profile.js';
import type { Route } from '../dicomweb/route.js';
import type { Services } from '../dicomweb/services.js';
import { ServiceError } from '../errors.js';
import { chunksOf, limitBody } from '../http/body.js';
import { acceptsGzip, gzipBody, isCompressible } from '../http/content-encoding.js';
import { corsHeaders, isPreflight, preflightHeaders } from '../http/cors.js';
import { publicOrigin } from '../http/origin.js';
import { problemResponse } from '../http/problem.js';
import { defaultPartition, parsePartition, type Partition } from '../storage/archive/keys.js';
import { authorize, type Authenticator } from './authenticator.js';
import type { Config } from './config.js';
import { describeError, type Log } from './log.js';
import { observeBody, type BodyEnd } from './observed-body.js';
import { requestIdOf } from './request-id.js';

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
    'publicUrl' | 'allowedOrigins' | 'partitions' | 'limits' | 'importKeepsFiles'
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

function baseUrlOf(request: Request, profile: Profile, params: Params, publicUrl?: string): string {
  const version = profile.segment === '' ? '' : `/${profile.segment}`;
  const name = params['partition'];
  const partition = name === undefined ? '' : `/partitions/${encodeURIComponent(name)}`;
  return publicOrigin(request, publicUrl) + version + partition;
}

/** Makes the pipeline of a process. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { config, authenticate, services, log } = parts;

  async function handle(
    route: Route | HostRoute,
    request: Request,
    params: Params,
    profile: Profile,
    signal: AbortSignal,
  ): Promise<Response> {
    if (isPreflight(request)) return new Response(null, { status: 204 });
    if ('answer' in route) return route.answer();
    await authorize(authenticate, route, request);
    checkQuery(profile, request);
    checkLength(request, config.limits.requestBytes);
    return await route.handler({
      request,
      params,
      body: limitBody(chunksOf(request.body), config.limits.requestBytes),
      profile,
      partition: partitionOf(params, config.partitions),
      baseUrl: baseUrlOf(request, profile, params, config.publicUrl),
      services: await services(),
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
    for (const [name, value] of Object.entries(profile.headers)) {
      if (!headers.has(name)) headers.set(name, value);
    }
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
    return new Response(observeBody(body, onEnd), { status, statusText, headers });
  }

  return async (route, request, params, signal) => {
    const started = performance.now();
    const requestId = requestIdOf(request.headers);
    const logFault = (error: unknown) =>
      log({ event: 'fault', requestId, route: route.name, error: describeError(error) });
    let profile = ps318;
    let code: string | undefined;
    let response: Response;
    try {
      profile = profileOf(params['version']);
      response = await handle(route, request, params, profile, signal);
    } catch (thrown) {
      const error =
        signal.aborted && !(thrown instanceof ServiceError)
          ? new ServiceError('client-aborted', 'The client went away.', {}, thrown)
          : thrown;
      code = error instanceof ServiceError ? error.code : 'internal-error';
      response = problemResponse(error, { requestId, format: profile.problemFormat });
      if (response.status >= 500) logFault(error);
    }
    return finish(response, { request, profile, requestId }, ({ outcome, bytes, error }) => {
      if (outcome === 'failed' && !signal.aborted) logFault(error);
      log({
        event: 'request',
        requestId,
        route: route.name,
        method: request.method,
        profile: profile.name,
        status: response.status,
        ...(code !== undefined && { code }),
        outcome: signal.aborted ? 'aborted' : outcome,
        bytes,
        milliseconds: Math.round(performance.now() - started),
      });
    });
  };
}
