/**
 * The Azure Functions host: registers routes as functions and runs the pipeline for each invocation.
 * The library streams but neither paces responses nor ends them when they fail, so the live response
 * behind each invocation is found here and minded (`live-response.ts`).
 */
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { app, type HttpMethod, type HttpRequest, type InvocationContext } from '@azure/functions';
import { urlForms, type Route } from '../dicomweb/route.js';
import { loadConfig } from './config.js';
import { createDispatcher, type Dispatch } from './dispatcher.js';
import { paced, signalOf } from './live-response.js';
import { importQueueName, runImport } from './import-job.js';
import { pageOf } from './page.js';
import { createPipeline, type Pipeline, type PipelineParts } from './pipeline.js';
import { recoverySchedule, runRecovery } from './recovery-job.js';
import { functionsParts } from './services.js';
import { runSweep, sweepSchedule } from './sweep-job.js';
import { createUpload } from './upload.js';

type Answer = (host: Host, request: Request, signal: AbortSignal) => Promise<Response>;

interface Host extends Pick<PipelineParts, 'log' | 'services' | 'config'> {
  readonly pipeline: Pipeline;
  readonly dispatch: Dispatch;
}

/** Every route that is a function, for the dispatcher behind the catch-alls. */
const registered: Route[] = [];

let partsOfProcess: () => PipelineParts = () => functionsParts(loadConfig());
let hostOfProcess: Host | undefined;

/** Runs invocations on other parts from now on: the seam for tests and benchmarks. */
export function composeWith(parts: PipelineParts): void {
  partsOfProcess = () => parts;
  hostOfProcess = undefined;
}

function currentHost(): Host {
  if (hostOfProcess === undefined) {
    const parts = partsOfProcess();
    const pipeline = createPipeline(parts);
    const dispatch = createDispatcher(pipeline, registered, pageOf(parts.config));
    const { log, services, config } = parts;
    hostOfProcess = { pipeline, dispatch, log, services, config };
  }
  return hostOfProcess;
}

/** Responses of the library's HTTP server that are not closed yet, by invocation id. */
const liveResponses = new Map<string, ServerResponse>();

subscribe('http.server.request.start', (message) => {
  const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
  const id = request.headers['x-ms-invocation-id'];
  if (typeof id !== 'string') return;
  liveResponses.set(id, response);
  response.once('close', () => liveResponses.delete(id));
});

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
  live: ServerResponse | undefined,
  signal: AbortSignal,
): Request {
  const { url, method } = invoked;
  const init = { method, signal, headers: new Headers([...invoked.headers]) };
  if (invoked.body === null) return new Request(url, init);
  const upload = createUpload(chunksOf(invoked.body), () => live?.destroy());
  live?.prependOnceListener('finish', upload.discard);
  return new Request(url, { ...init, body: upload.body, duplex: 'half' });
}

async function invoke(
  answer: Answer,
  invoked: HttpRequest,
  { invocationId }: InvocationContext,
): Promise<Response> {
  const host = currentHost();
  const live = liveResponses.get(invocationId);
  if (live === undefined) {
    host.log({ event: 'notice', message: 'No live response: the answer cannot be paced.' });
  }
  const signal = live === undefined ? new AbortController().signal : signalOf(live);
  const response = await answer(host, requestOf(invoked, live, signal), signal);
  if (live === undefined || response.body === null) return response;
  const { status, statusText, headers } = response;
  return new Response(paced(response.body, live), { status, statusText, headers });
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
      await runImport(services, log, message, { keepFiles: config.importKeepsFiles });
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
