/**
 * Plays the Azure Functions host in front of the library's server, with what was measured of the real
 * one (docs/functions-host.md): finds the function by the registered templates and methods, reads a body
 * with a length whole before it invokes, streams a chunked one, delivers no answer before the body has
 * been sent, and waits for ever for an invocation that does not end.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as forward,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { createRouter } from '../../../src/host/pipeline/router.js';
import { FunctionsCore, type RegisteredFunction } from './functions-core.js';
import { headerLines, hostText, kestrelRefusal } from './kestrel.js';

export interface FunctionsHost {
  readonly url: string;
  /** Invocations that have not ended. The real host restarts a worker whose invocation never does. */
  readonly pending: number;
  stop(): Promise<void>;
}

export interface FunctionsHostOptions {
  /** `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT`. */
  readonly bodyLimit?: number;
  /** Newer hosts put the invocation's id in the place of one that the client sent. */
  readonly replacesInvocationId?: boolean;
}

/** What of the worker the host talks to; the benchmark has it in another process. */
type Core = Pick<FunctionsCore, 'functions' | 'start' | 'invoke'>;

const invocationHeader = 'x-ms-invocation-id';
/** Of one connection; not passed on. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'upgrade']);
// eslint-disable-next-line no-control-regex
const control = /[\0-\x08\x0a-\x1f\x7f]/;

/** What of Node's client is needed to send what it refuses to. */
interface Internals {
  _header: string;
  _implicitHeader(): void;
}

/** Headers by lower-case name, repeated ones joined, each character a byte. */
function joinedHeaders(message: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of headerLines(message)) {
    const key = name.toLowerCase();
    const before = headers.get(key);
    const separator = key === 'cookie' ? '; ' : ', ';
    headers.set(key, before === undefined ? value : before + separator + value);
  }
  return headers;
}

/** Begins the forwarded request; values with control characters are sent as they are. */
function beginForwarding(
  proxyUrl: string,
  agent: Agent,
  { method, url = '/' }: IncomingMessage,
  headers: ReadonlyMap<string, string>,
): ClientRequest {
  const outgoing = forward(new URL(proxyUrl).origin, { path: url, method, agent });
  let odd = '';
  for (const [name, value] of headers) {
    if (hopByHop.has(name)) continue;
    if (control.test(value)) odd += `${name}: ${value}\r\n`;
    else outgoing.setHeader(name, value);
  }
  const internals = outgoing as unknown as Internals;
  internals._implicitHeader();
  internals._header = internals._header.replace(/\r\n\r\n$/, `\r\n${odd}\r\n`);
  outgoing.flushHeaders();
  return outgoing;
}

/** Node's client forgets to go on sending, and to see its connection end, once it has a whole answer. */
function goOnSending(outgoing: ClientRequest): void {
  const { socket } = outgoing;
  if (outgoing.writableFinished || socket === null) return;
  const drained = () => outgoing.emit('drain');
  const closed = () => outgoing.destroy(new Error('The worker closed the connection.'));
  socket.on('drain', drained).on('close', closed);
  const forget = () => socket.off('drain', drained).off('close', closed);
  outgoing.once('finish', forget).once('close', forget);
}

async function readWhole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function answerBare(response: ServerResponse, status: number): void {
  if (response.headersSent || response.destroyed) response.destroy();
  else response.writeHead(status, { Server: 'Kestrel', Connection: 'close' }).end();
}

/** Serves the registered functions on a free port. */
export async function startFunctionsHost(
  core: Core,
  {
    bodyLimit = 4 * 1024 ** 3 + 1024 ** 2,
    replacesInvocationId = false,
  }: FunctionsHostOptions = {},
): Promise<FunctionsHost> {
  const proxyUrl = await core.start();
  const router = createRouter(
    core.functions.flatMap((value) => {
      const [, { route = '', methods = [] }] = FunctionsCore.trigger(value);
      return methods.map((method) => ({ method, template: route, value }));
    }),
  );
  const agent = new Agent({ keepAlive: true });
  let pending = 0;

  /** Runs the invocation; resolves, when it has ended, to whether it succeeded. */
  async function invoke(
    found: {
      readonly value: RegisteredFunction;
      readonly params: Readonly<Record<string, string>>;
    },
    invocationId: string,
    headers: ReadonlyMap<string, string>,
  ): Promise<boolean> {
    pending += 1;
    const texts = [...headers].map(([name, value]) => [name, hostText(value)] as const);
    try {
      const { value, params } = found;
      await core.invoke(value, { invocationId, params, headers: Object.fromEntries(texts) });
      return true;
    } catch {
      // Kept in `core.failures`.
      return false;
    } finally {
      pending -= 1;
    }
  }

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = message;
    const refusal = kestrelRefusal(message);
    if (refusal !== undefined) {
      answerBare(response, refusal);
      return;
    }
    const [path = '/'] = url.split('?');
    const found = path.startsWith('//') ? undefined : router.match(method, path);
    if (found === undefined) {
      answerBare(response, 404);
      return;
    }
    const length = message.headers['content-length'];
    if (Number(length ?? 0) > bodyLimit) {
      answerBare(response, 500);
      return;
    }
    const whole = length === undefined ? undefined : await readWhole(message);

    const invocationId = randomUUID();
    const headers = joinedHeaders(message);
    const isOwnId = headers.has(invocationHeader) && !replacesInvocationId;
    const sent = new Map([
      ...headers,
      ...(isOwnId ? [] : [[invocationHeader, invocationId] as const]),
      ['x-forwarded-host', message.headers.host ?? ''],
      ['x-forwarded-proto', 'http'],
    ]);
    const ended = invoke(found, invocationId, headers);
    // Its client sends headers in ASCII alone.
    if ([...sent.values()].some((value) => /[^\0-\x7f]/.test(value))) {
      await ended;
      answerBare(response, 502);
      return;
    }
    const outgoing = beginForwarding(proxyUrl, agent, message, sent);
    const bodySent = new Promise<void>((resolve) => outgoing.once('finish', resolve));
    const fail = () => {
      answerBare(response, 500);
    };
    const deliver = async (incoming: IncomingMessage) => {
      await bodySent;
      // What the library did not write is not an end of the invocation.
      const isAnswer = incoming.headers[invocationHeader] === invocationId;
      if (!isAnswer) await ended;
      const raw = [...incoming.rawHeaders, 'Server', 'Kestrel'];
      if (response.destroyed) return;
      response.writeHead(incoming.statusCode ?? 500, raw);
      pipeline(incoming, response, () => undefined);
    };
    outgoing.on('response', (incoming) => {
      incoming.on('error', fail);
      goOnSending(outgoing);
      deliver(incoming).catch(fail);
    });
    outgoing.on('error', fail);
    response.on('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    if (whole !== undefined) {
      outgoing.end(whole);
      return;
    }
    let received = 0;
    message.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received <= bodyLimit) return;
      outgoing.destroy();
    });
    // Not destroyed with it: its client is owed an answer.
    message.pipe(outgoing);
  }

  // Kestrel's own limits and leniences are in `kestrelRefusal`.
  const options = { requestTimeout: 0, maxHeaderSize: 64 * 1024, insecureHTTPParser: true };
  const onRequest = (message: IncomingMessage, response: ServerResponse) => {
    handle(message, response).catch(() => response.destroy());
  };
  const server = createServer(options, onRequest).on('checkExpectation', onRequest);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    get pending() {
      return pending;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      agent.destroy();
    },
  };
}
