/** Between Node's HTTP server and web objects: requests in, responses out, both at the peer's pace. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isHost } from '../http/origin.js';
import type { Dispatch } from './dispatcher.js';
import { paced, signalOf } from './live-response.js';
import { createUpload, type UploadOptions } from './upload.js';

/** Methods whose requests have no body for the Fetch standard. */
const bodiless: ReadonlySet<string> = new Set(['GET', 'HEAD']);

function urlOf(message: IncomingMessage): string {
  const target = message.url ?? '/';
  const host = message.headers.host ?? '';
  // Anything but a host would be read as part of the path.
  const base = `http://${isHost(host) && URL.canParse(`http://${host}`) ? host : 'localhost'}`;
  // A proxy is sent absolute targets; they are the URL already.
  if (!target.startsWith('/') && URL.canParse(target)) return target;
  return base + (target.startsWith('/') ? target : '/');
}

function headersOf(message: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

/**
 * The chunks of a message. Asking for the first tells a client that waits (`Expect: 100-continue`)
 * to go on, so that one who is refused sends nothing.
 */
async function* chunksOf(
  message: IncomingMessage,
  response: ServerResponse,
): AsyncGenerator<Uint8Array, undefined> {
  const waits = message.headers.expect?.toLowerCase() === '100-continue';
  if (waits && !response.headersSent) response.writeContinue();
  yield* message as AsyncIterable<Uint8Array>;
  return undefined;
}

function requestOf(
  message: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
  options: UploadOptions,
): Request {
  const method = message.method ?? 'GET';
  const init = { method, headers: headersOf(message), signal };
  if (bodiless.has(method)) return new Request(urlOf(message), init);
  const upload = createUpload(chunksOf(message, response), () => message.destroy(), options);
  // Before Node's own listener, which would read whatever nobody has begun to read.
  response.prependOnceListener('finish', upload.discard);
  return new Request(urlOf(message), { ...init, body: upload.body, duplex: 'half' });
}

/** Sends an answer, at the pace of its reader. Rejects when its body fails. */
export async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body !== null) {
    for await (const chunk of paced(answer.body, response)) response.write(chunk);
  }
  response.end();
}

/** Answers one message of Node's server through the dispatcher. */
export async function serve(
  dispatch: Dispatch,
  message: IncomingMessage,
  response: ServerResponse,
  options: UploadOptions,
): Promise<void> {
  const signal = signalOf(response);
  let request: Request;
  try {
    request = requestOf(message, response, signal, options);
  } catch {
    // A method or URL that the Fetch standard has no request for.
    response.writeHead(400, { Connection: 'close' }).end();
    return;
  }
  try {
    await send(await dispatch(request, signal), response);
  } catch {
    // What failed is in the log; the client can only be told by a reset.
    response.destroy();
  }
}
