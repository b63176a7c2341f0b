/** Between Node's HTTP server and the pipeline: requests in, answers out, both at the peer's pace. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingRequest, RequestHeaders } from '../../http/incoming-request.js';
import { isHost } from '../../http/origin.js';
import type { Reply } from '../../http/reply.js';
import type { Dispatch } from '../pipeline/dispatcher.js';
import { StreamChunks } from '../../storage/stream-chunks.js';
import { sendPaced, signalOf } from './live-response.js';
import { receiveBody, type UploadOptions } from './upload.js';

/** Methods whose requests have no body. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** Methods that are not for the server of a resource. */
const forbidden: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

function parsed(url: string): URL | undefined {
  try {
    // As good as always it can be: to ask first would be to parse twice.
    return new URL(url);
  } catch {
    return undefined;
  }
}

/** The absolute URL of a message; `undefined` when there is none without credentials. */
function urlOf(message: IncomingMessage): URL | undefined {
  const target = message.url ?? '/';
  const host = message.headersDistinct['host']?.[0] ?? '';
  const path = target.startsWith('/') ? target : '/';
  // A proxy is sent absolute targets; they are the URL already.
  const absolute = target === path ? undefined : parsed(target);
  // Anything but a host would be read as part of the path.
  const url = absolute ?? (isHost(host) ? parsed(`http://${host}${path}`) : undefined);
  const found = url ?? parsed(`http://localhost${path}`);
  return found?.username === '' && found.password === '' ? found : undefined;
}

/** The fields of a message, each joined once. */
class MessageHeaders implements RequestHeaders {
  readonly #fields = new Map<string, string>();

  constructor({ headersDistinct }: IncomingMessage) {
    for (const [name, values] of Object.entries(headersDistinct)) {
      if (values !== undefined) this.#fields.set(name, values.join(', '));
    }
  }

  get(name: string): string | null {
    return this.#fields.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase());
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.#fields[Symbol.iterator]();
  }
}

function stepOf(value: Uint8Array | undefined): IteratorResult<Uint8Array, undefined> {
  return value === undefined ? { done: true, value } : { done: false, value };
}

/**
 * The chunks of a message. Asking for the first tells a client that waits (`Expect: 100-continue`)
 * to go on, so that one who is refused sends nothing.
 */
function chunksOf(
  message: IncomingMessage,
  response: ServerResponse,
): AsyncIterator<Uint8Array, undefined> {
  let chunks: StreamChunks | undefined;
  return {
    next() {
      if (chunks === undefined) {
        const waits = message.headers.expect?.toLowerCase() === '100-continue';
        if (waits && !response.headersSent) response.writeContinue();
        // A slow client is known by its every byte.
        chunks = new StreamChunks(message, 1);
      }
      return chunks.next().then(stepOf);
    },
  };
}

/** The request in a message; `undefined` when it cannot be one for us. */
function requestOf(
  message: IncomingMessage,
  response: ServerResponse,
  options: UploadOptions,
): IncomingRequest | undefined {
  const { method = 'GET' } = message;
  const url = urlOf(message);
  if (url === undefined || forbidden.has(method)) return undefined;
  const head = { method, url, headers: new MessageHeaders(message) };
  if (bodiless.has(method)) return { ...head, body: null };
  const upload = receiveBody(chunksOf(message, response), () => message.destroy(), options);
  // Before Node's own listener, which would read whatever nobody has begun to read.
  response.prependOnceListener('finish', upload.discard);
  return { ...head, body: upload.body };
}

/** Sends an answer, at the pace of its reader. Rejects when its body fails. */
export async function send(
  { status, headers, body }: Reply,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(status, headers);
  if (body !== undefined && !(body instanceof Uint8Array)) await sendPaced(body, response);
  response.end(body instanceof Uint8Array ? body : undefined);
}

/** Answers one message of Node's server through the dispatcher. */
export async function serve(
  dispatch: Dispatch,
  message: IncomingMessage,
  response: ServerResponse,
  options: UploadOptions,
): Promise<void> {
  const request = requestOf(message, response, options);
  if (request === undefined) {
    response.writeHead(400, { Connection: 'close' }).end();
    return;
  }
  try {
    await send(await dispatch(request, signalOf(response)), response);
  } catch {
    // What failed is in the log; the client can only be told by a reset.
    response.destroy();
  }
}
