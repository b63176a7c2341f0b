/**
 * What every request goes through, on both hosts, as steps in a row: each takes what is known of the
 * request and answers, or lets it pass on. Nothing of a body is read before its sender is known to be
 * allowed to send it.
 */
import type { Reach } from '../../auth/roles.js';
import { enterPartition, partitionOf } from '../../dicomweb/partitions/enter-partition.js';
import { profileOf } from '../../dicomweb/profile.js';
import type { Route } from '../../dicomweb/route.js';
import type { Services } from '../../dicomweb/services.js';
import { ServiceError } from '../../errors.js';
import { discardBody, receivedBody, tooLarge } from '../../http/body.js';
import { acceptsGzip, gzipBody, isCompressible } from '../../http/content-encoding.js';
import { isPreflight } from '../../http/cors.js';
import { problemResponse } from '../../http/problem.js';
import { reply, type Reply, type ReplyBody } from '../../http/reply.js';
import type { RequestHead } from '../../http/incoming-request.js';
import { checkHead } from '../../http/request-head.js';
import type { Partition } from '../../storage/archive/keys.js';
import type { Config } from '../config.js';
import { accessLine } from './access-line.js';
import { answerHeaders } from './answer-headers.js';
import { auditNoteOf, callerOf } from './audit.js';
import { authorize, type Authenticator } from './authenticator.js';
import { baseUrlOf, begin, endOf, type Asked, type Exchange } from './exchange.js';
import { describeError, type Log } from './log.js';
import { observeBody, type BodyEnd } from './observed-body.js';
import type { WebPage } from './page.js';
import { withinScope } from './request-scope.js';
import { narrowToShare, shareOf } from './shared-access.js';

/** Answers a request for a route; never rejects. */
export type Pipeline = (...asked: Asked) => Promise<Reply>;

export interface PipelineParts {
  /** The page at the root; none when left out. */
  readonly page?: WebPage;
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

/** What a caller was let into. */
interface Admitted {
  readonly partition: Partition;
  /** Where the caller has the permission that the route takes. */
  readonly reach: Reach;
  /** The request; that of a link narrowed to what the link is to. */
  readonly head: RequestHead;
}

/** The Microsoft server refuses markup in query strings, as a guard against script injection. */
function checkQuery({ profile, head }: Exchange): void {
  if (profile.segment === '' || !/<|%3c/i.test(head.url.search)) return;
  throw new ServiceError('invalid-query', "The query string must not contain '<'.");
}

/** Refuses a body that announces itself as too large before any of it is read. */
function checkLength({ head }: Exchange, maxBytes: number): void {
  const length = head.headers.get('content-length');
  if (length !== null && Number(length) > maxBytes) throw tooLarge(maxBytes);
}

/** The answer in gzip, where that is worth it and taken. */
function coded({ head }: Exchange, answer: Reply): Reply | Promise<Reply> {
  const { body } = answer;
  if (body === undefined || !isCompressible(answer)) return answer;
  return acceptsGzip(head.headers.get('accept-encoding')) ? gzipped(answer, body) : answer;
}

async function gzipped({ status, headers }: Reply, body: ReplyBody): Promise<Reply> {
  const others = Object.entries(headers).filter(([name]) => name !== 'Content-Length');
  return {
    status,
    headers: { ...Object.fromEntries(others), 'Content-Encoding': 'gzip' },
    body: await gzipBody(body),
  };
}

/** Makes the pipeline of a process. */
export function createPipeline(parts: PipelineParts): Pipeline {
  const { config, authenticate, services, log } = parts;
  const { auditUids, limits, partitions } = config;
  const dressed = answerHeaders(config);

  function logFault({ route, scope }: Exchange, error: unknown): void {
    const { requestId } = scope;
    log({ event: 'fault', requestId, route: route.name, error: describeError(error) });
  }

  /** Finds out who asks, and for what; lets them in, or not. */
  async function identify(exchange: Exchange, route: Route): Promise<Admitted> {
    const { head, secret, params, profile, notes } = exchange;
    const named = () => partitionOf(params['partition'], partitions, profile.partitions);
    if (route.permission === 'anonymous') return { partition: named(), reach: new Set(), head };
    if (secret !== undefined) {
      // Whoever else asks: a link opens what it is to, and nothing more.
      const partition = named();
      const share = await shareOf(await services(), partition, secret);
      notes.access = { share: share.id, partition };
      const narrowed = narrowToShare(route, head, params, share);
      notes.access = { ...notes.access, ...auditNoteOf(head.headers) };
      return { partition, reach: new Set([partition]), head: narrowed };
    }
    const known = authenticate(head);
    const principal = known instanceof Promise ? await known : known;
    const caller = callerOf(principal);
    if (caller !== undefined) notes.access = { caller };
    const partition = named();
    const reach = authorize(principal, route, partition);
    notes.access = {
      ...notes.access,
      ...(route.scope === undefined && { partition }),
      ...auditNoteOf(head.headers),
    };
    return { partition, reach, head };
  }

  /** The answer of a route's handler. */
  async function handle(exchange: Exchange, route: Route, admitted: Admitted): Promise<Reply> {
    const { params, profile, notes, signal } = exchange;
    const { partition, reach, head } = admitted;
    const made = await services();
    await enterPartition(partition, route, profile.partitions, made);
    return await route.handler({
      ...{ request: head, params, profile, partition, reach, signal },
      body: receivedBody(exchange.body, limits.requestBytes, (bytes) => {
        notes.bytesIn += bytes;
      }),
      baseUrl: baseUrlOf(exchange),
      services: made,
      ...(notes.access.caller && { caller: notes.access.caller }),
      noteStored: (study) => notes.stored.add(study),
      noteShare: (id, shared) => {
        notes.access = { ...notes.access, share: id, ...(auditUids && shared && { shared }) };
      },
      noteUpdate: (operation, studies) => {
        notes.access = { ...notes.access, operation, ...(auditUids && { updates: studies }) };
      },
      noteFault: (error) => logFault(exchange, error),
    });
  }

  /** Version → head → preflight? → caller → limits → handler. @throws what any of them throws. */
  async function serve(exchange: Exchange): Promise<Reply | ServiceError> {
    const { route, head, params } = exchange;
    profileOf(params['version']);
    checkHead(head.headers);
    if (isPreflight(head)) return reply(null, { status: 204 });
    if ('answer' in route) return route.answer();
    const admitted = await identify(exchange, route);
    exchange.notes.auth = performance.now() - exchange.started;
    checkQuery(exchange);
    checkLength(exchange, limits.requestBytes);
    return await handle(exchange, route, admitted);
  }

  /** The problem in place of an answer. */
  function refuse(exchange: Exchange, thrown: unknown): Reply {
    const error = endOf(exchange, thrown);
    const { scope, profile, notes } = exchange;
    notes.code = error instanceof ServiceError ? error.code : 'internal-error';
    const problem = problemResponse(error, {
      requestId: scope.requestId,
      format: profile.problemFormat,
    });
    if (problem.status >= 500) logFault(exchange, error);
    return problem;
  }

  /** The answer, or the problem in its place. */
  async function answered(exchange: Exchange): Promise<Reply> {
    try {
      const answer = await withinScope(exchange.scope, () => serve(exchange));
      return answer instanceof ServiceError ? refuse(exchange, answer) : answer;
    } catch (thrown) {
      return refuse(exchange, thrown);
    }
  }

  /** The one line that the log gets of a request, when its answer has gone out. */
  function tell(exchange: Exchange, status: number, end: BodyEnd): void {
    if (end.outcome === 'failed' && !exchange.signal.aborted) logFault(exchange, end.error);
    log(accessLine(exchange, status, end, auditUids));
  }

  /** The answer as the host gets it, watched until its end. */
  function watched(exchange: Exchange, { status, headers, body }: Reply): Reply {
    const onEnd = (end: BodyEnd) => tell(exchange, status, end);
    if (body !== undefined && exchange.head.method === 'HEAD') {
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
    const exchange = begin(asked, config);
    const answer = await answered(exchange);
    const sent = coded(exchange, answer);
    return watched(exchange, dressed(exchange, sent instanceof Promise ? await sent : sent));
  };
}
