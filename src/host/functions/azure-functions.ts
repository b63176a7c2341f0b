/**
 * The Azure Functions host: registers routes as functions and runs the pipeline for each invocation.
 * The library streams responses, but neither paces them nor ends them when they fail. So the Node response behind
 * each invocation is found here, and paced and ended by `live-response.ts`.
 */
import type { ServerResponse } from 'node:http';
import { app, type HttpMethod, type HttpRequest, type InvocationContext } from '@azure/functions';
import { urlForms, type Route } from '../../dicomweb/route.js';
import { ServiceError } from '../../errors.js';
import type { IncomingRequest } from '../../http/incoming-request.js';
import type { Reply, ReplyBody } from '../../http/reply.js';
import { loadConfig } from '../config.js';
import { createDispatcher, type Dispatch } from '../pipeline/dispatcher.js';
import { invocationHeader, type Forwarded } from '../pipeline/forwarded-requests.js';
import { pacedStream, signalOf } from '../node/live-response.js';
import { withDeadline } from '../jobs/deadline.js';
import { importQueueName, runImport } from '../jobs/import-job.js';
import { runExpiry } from '../jobs/expiry-job.js';
import { attendanceSchedule, attendJobs, jobQueueName, runJob } from '../jobs/job-runner.js';
import { send } from '../node/node-http.js';
import type { HostRoute } from '../pipeline/exchange.js';
import { createPipeline, type Pipeline, type PipelineParts } from '../pipeline/pipeline.js';
import { recoverySchedule, runRecovery } from '../jobs/recovery-job.js';
import { functionsParts } from '../composition.js';
import { letHeapGrow } from '../heap-growth.js';
import { runSweep, sweepSchedule } from '../jobs/sweep-job.js';
import { timeBudgets, type TimeBudgets } from '../../time-budgets.js';
import { receiveBody } from '../node/upload.js';
import { attendWorkerServer } from './worker-server.js';

type Answer = (host: Host, request: IncomingRequest, signal: AbortSignal) => Promise<Reply>;

interface Host extends Pick<PipelineParts, 'log' | 'services' | 'config'> {
  readonly pipeline: Pipeline;
  readonly dispatch: Dispatch;
}

/** Every route that is a function, for the dispatcher behind the catch-alls. */
const registered: Route[] = [];

let partsOfProcess = (): PipelineParts => {
  letHeapGrow();
  return functionsParts(loadConfig());
};
let hostOfProcess: Host | undefined;

let budgets: TimeBudgets = timeBudgets;

/** Runs invocations on other parts from now on: the seam for tests and benchmarks. */
export function composeWith(parts: PipelineParts, times: Partial<TimeBudgets> = {}): void {
  partsOfProcess = () => parts;
  budgets = { ...timeBudgets, ...times };
  hostOfProcess = undefined;
}

function currentHost(): Host {
  if (hostOfProcess === undefined) {
    const parts = partsOfProcess();
    const pipeline = createPipeline(parts);
    const dispatch = createDispatcher(pipeline, registered, parts.page);
    const { log, services, config } = parts;
    hostOfProcess = { pipeline, dispatch, log, services, config };
  }
  return hostOfProcess;
}

/** Answers in place of a function: with the problem of an error. */
async function refuse(error: ServiceError, request: IncomingRequest): Promise<Reply> {
  const route: HostRoute = { name: 'forwardedRequest', answer: () => error };
  return await currentHost().pipeline(route, request, {}, new AbortController().signal);
}

/** Answers a request that came to the worker and that no function can be run for. */
function refuseForwarded({ response }: Forwarded): void {
  const error = new ServiceError('invalid-header', 'The headers of the request cannot be read.');
  // It may stand in the middle of its connection.
  response.shouldKeepAlive = false;
  refuse(error, new Request('http://localhost/'))
    .then(async (answer) => await send(answer, response))
    .catch(() => response.destroy());
}

const workerServer = attendWorkerServer(() => budgets.forwarding, refuseForwarded);

app.setup({ enableHttpStream: true });

// A wrong setting is told when the app starts, not to its first client.
app.hook.appStart(() => {
  currentHost();
});

async function* chunksOf(body: HttpRequest['body']): AsyncGenerator<Uint8Array, undefined> {
  const reader = body?.getReader();
  for (;;) {
    const result = await reader?.read();
    if (result?.value === undefined) return undefined;
    yield result.value as Uint8Array;
  }
}

function requestOf(
  invoked: HttpRequest,
  forwarded: Forwarded | undefined,
  signal: AbortSignal,
  discardBytes: number,
): IncomingRequest {
  const { url, method, headers } = invoked;
  const head = { method, url, headers: new Headers([...headers]) };
  if (invoked.body === null) return { ...head, body: null };
  const upload = receiveBody(chunksOf(invoked.body), () => forwarded?.message.socket.destroy(), {
    discardBytes,
    signal,
    totalMilliseconds: budgets.request + budgets.lateBody,
    stallMilliseconds: budgets.uploadStall,
    discardStallMilliseconds: budgets.discardStall,
  });
  forwarded?.response.prependOnceListener('finish', upload.discard);
  return { ...head, body: upload.body };
}

/** A body as the library takes it: without a live response at the pace at which it is asked for. */
function webBody(body: ReplyBody | undefined, live: ServerResponse | undefined) {
  if (body === undefined) return null;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return live === undefined ? ReadableStream.from(body) : pacedStream(body, live);
}

/** The answer, or one in its place when its time has been over for a while. */
async function inTime(
  answer: Promise<Reply>,
  request: IncomingRequest,
  signal: AbortSignal,
): Promise<Reply> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reply>((resolve) => {
    signal.addEventListener('abort', () => {
      const reason: unknown = signal.reason;
      if (!(reason instanceof ServiceError)) return;
      timer = setTimeout(() => {
        resolve(refuse(reason, new Request(request.url)));
      }, budgets.lateHandler).unref();
    });
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The host lets through a body that is as much larger than we take (`function-app.bicep`). */
const mebibyte = 1024 ** 2;

const forgedInvocation = new ServiceError(
  'invalid-header',
  `The header ${invocationHeader} is the platform's own.`,
  { parameter: invocationHeader },
);

async function invoke(
  answer: Answer,
  invoked: HttpRequest,
  { invocationId }: InvocationContext,
): Promise<Response> {
  const host = currentHost();
  const forwarded = workerServer.liveRequestOf(invocationId);
  const live = forwarded?.response;
  if (live === undefined) {
    host.log({ event: 'notice', message: 'No live response: the answer cannot be paced.' });
  }
  const signal =
    live === undefined ? new AbortController().signal : signalOf(live, budgets.request);
  const request = requestOf(invoked, forwarded, signal, host.config.limits.requestBytes + mebibyte);
  const { status, headers, body } =
    forwarded?.isForged === true
      ? await refuse(forgedInvocation, request)
      : await inTime(answer(host, request, signal), request, signal);
  return new Response(webBody(body, live), { status, headers });
}

function registerFunction(
  name: string,
  methods: HttpMethod[],
  template: string,
  answer: (invoked: HttpRequest) => Answer,
): void {
  app.http(name, {
    methods,
    route: template,
    // Tokens are checked in the pipeline, for both hosts alike.
    authLevel: 'anonymous',
    handler: async (invoked, context) => await invoke(answer(invoked), invoked, context),
  });
}

/** Registers one function for each URL form of a route. */
export function register(route: Route): void {
  registered.push(route);
  for (const { functionName, template } of urlForms(route)) {
    registerFunction(
      functionName,
      route.method === 'GET' ? ['GET', 'HEAD'] : [route.method],
      template,
      ({ params }) =>
        async ({ pipeline }, request, signal) =>
          await pipeline(route, request, params, signal),
    );
  }
}

function registerCatchAll(name: string, methods: HttpMethod[]): void {
  registerFunction(
    name,
    methods,
    '{*path}',
    () =>
      async ({ dispatch }, request, signal) =>
        await dispatch(request, signal),
  );
}

/** Registers the function that finishes or undoes, on a timer, what died. */
export function registerRecovery(): void {
  app.timer('recoverArchive', {
    schedule: recoverySchedule,
    handler: async () => {
      const { services, log } = currentHost();
      await runRecovery(services, log);
    },
  });
}

/** Registers the function that clears away, on a timer, what nobody needs. */
export function registerSweep(): void {
  app.timer('sweepArchive', {
    schedule: sweepSchedule,
    handler: async () => {
      const { services, log } = currentHost();
      await runSweep(services, log);
    },
  });
}

/** Registers the function that imports the files that messages of the import queue name. */
export function registerImport(): void {
  app.storageQueue('importFile', {
    queueName: importQueueName,
    connection: 'DicomStorage',
    handler: async (message) => {
      const { services, log, config } = currentHost();
      const { importKeepsFiles: keepFiles } = config;
      await withDeadline(
        async (signal) => await runImport(services, log, message, { keepFiles, signal }),
        budgets.import,
        budgets.lateHandler,
      );
    },
  });
}

/** Registers the function that goes on with the jobs that messages of their queue name. */
export function registerJobs(): void {
  app.storageQueue('runJob', {
    queueName: jobQueueName,
    connection: 'DicomStorage',
    handler: async (message) => {
      const { services, log } = currentHost();
      await runJob(services, log, message);
    },
  });
}

/** Registers the function that announces again, on a timer, the jobs that were left lying, and deletes what has expired. */
export function registerJobAttendance(): void {
  app.timer('attendJobs', {
    schedule: attendanceSchedule,
    handler: async () => {
      const { services, log } = currentHost();
      await attendJobs(services, log);
      await runExpiry(services, log);
    },
  });
}

/** Registers the function that answers OPTIONS wherever no route does, without authentication. */
export function registerCorsPreflight(): void {
  registerCatchAll('corsPreflight', ['OPTIONS']);
}

/** Registers the function for every URL and method that no route serves: 404 or 405. */
export function registerUnknownRoute(): void {
  registerCatchAll('unknownRoute', ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
}
