/**
 * The last step of the storage SDKs' pipelines: sends a call in one HTTP request, within its time and until its
 * signal fires, and once more when it met a kept connection that had been closed.
 */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import {
  createHttpHeaders,
  RestError,
  type PipelinePolicy,
  type PipelineRequest,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { closeIdle, keptSockets, mostSockets } from './kept-sockets.js';

export interface SenderOptions {
  /** Most connections at a time, less those of downloads. */
  readonly sockets: number;
  /** Until the answer has begun, or is there if it is text. Reading a stream may take any time. */
  readonly timeoutMs: number;
  /** Whether that is the time of one sending, or of all of a call that a step before this one sends again. */
  readonly timeoutOf: 'sending' | 'call';
  /** Asked where a call is made; what it returns is asked before the call is sent again. */
  readonly repeats?: () => () => boolean;
}

/** How often a call is sent again after a closed connection. */
const mostRepeats = 3;
const always = () => true;

const begun = Symbol('when it was sent first');
interface Begun extends PipelineRequest {
  [begun]?: number | undefined;
}

/** What the SDKs throw for a call that was given up. */
class AbortError extends Error {
  override readonly name = 'AbortError';
}

type Body = Exclude<PipelineRequest['body'], () => unknown>;

function isStream(body: unknown): body is NodeJS.ReadableStream {
  return typeof body === 'object' && body !== null && 'pipe' in body;
}

/** @throws RestError for what none of our calls has: forms, blobs and streams of the web. */
function bytesOf(body: Body): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  throw new RestError('Unrecognized body type');
}

/** Whether the connection ended before an answer began. */
function isClosed(error: Error): boolean {
  return 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}

function headersOf(answer: IncomingMessage): PipelineResponse['headers'] {
  const headers = createHttpHeaders();
  for (const [name, value] of Object.entries(answer.headers)) {
    const first = typeof value === 'string' ? value : value?.[0];
    // As the SDK's own client has it.
    if (first !== undefined && first !== '') headers.set(name, first);
  }
  return headers;
}

function wantsStream({ streamResponseStatusCodes: codes }: PipelineRequest, status: number) {
  return codes !== undefined && (codes.has(status) || codes.has(Number.POSITIVE_INFINITY));
}

interface How {
  readonly agent: Agent;
  readonly timeoutMs: number;
  readonly mayRepeat: () => boolean;
}

/** Where its outcome goes. */
interface Outcome {
  readonly resolve: (response: PipelineResponse) => void;
  readonly reject: (error: unknown) => void;
}

/** One sending of a call, with its repetitions on other connections. */
class Sending {
  readonly #request: PipelineRequest;
  readonly #how: How;
  readonly #outcome: Outcome;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #sent: ClientRequest | undefined;
  #repeats = 0;
  #isAnswered = false;
  #isSettled = false;

  constructor(request: PipelineRequest, how: How, outcome: Outcome) {
    this.#request = request;
    this.#how = how;
    this.#outcome = outcome;
    // The SDKs' own kind of signal is a plain one in fact.
    this.#signal = request.abortSignal instanceof AbortSignal ? request.abortSignal : undefined;
    this.#timer = setTimeout(giveUp, how.timeoutMs, this);
    this.#signal?.addEventListener('abort', this);
  }

  /** Hears the signal. */
  handleEvent(): void {
    this.abort('The operation was aborted.');
  }

  abort(why: string): void {
    const error = new AbortError(why);
    // Also of an answer that is being read.
    this.#sent?.destroy(error);
    this.#fail(error);
  }

  /** Fails with what is wrong with a body, a URL or headers that cannot be sent. */
  start(): void {
    try {
      this.#send();
    } catch (error) {
      this.#fail(error);
    }
  }

  #send(): void {
    const { url, method, headers } = this.#request;
    const { protocol, hostname, port, pathname, search } = new URL(url);
    const isSecure = protocol === 'https:';
    if (!isSecure && this.#request.allowInsecureConnection !== true) {
      throw new Error(`A call to ${hostname} would go without TLS`);
    }
    const { body: given } = this.#request;
    const body = typeof given === 'function' ? given() : given;
    const payload =
      body === undefined || body === null || isStream(body) ? undefined : bytesOf(body);
    if (payload !== undefined && payload.length > 0 && !headers.has('Content-Length')) {
      headers.set('Content-Length', Buffer.byteLength(payload));
    }
    const sent = (isSecure ? httpsRequest : httpRequest)({
      agent: this.#how.agent,
      hostname,
      port,
      path: pathname + search,
      method,
      headers: headers.toJSON({ preserveCase: true }),
    });
    this.#sent = sent;
    sent.once('response', (answer) => this.#answered(answer));
    sent.on('error', (error) => this.#broken(sent, error));
    if (isStream(body)) {
      body.once('error', (error: Error) => sent.destroy(error));
      body.pipe(sent);
    } else if (payload === undefined || payload.length === 0) sent.end();
    else sent.end(payload);
  }

  #answered(answer: IncomingMessage): void {
    this.#isAnswered = true;
    const { statusCode: status = 0 } = answer;
    const response = { request: this.#request, status, headers: headersOf(answer) };
    if (this.#request.method === 'HEAD') {
      answer.resume();
      this.#end();
      this.#outcome.resolve(response);
    } else if (wantsStream(this.#request, status)) {
      clearTimeout(this.#timer);
      this.#isSettled = true;
      // Until then the signal aborts what is being read.
      answer.once('close', () => this.#signal?.removeEventListener('abort', this));
      this.#outcome.resolve({ ...response, readableStreamBody: answer });
    } else this.#readText(answer, response);
  }

  #readText(answer: IncomingMessage, response: PipelineResponse): void {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.once('end', () => {
      const [first] = chunks;
      const all = chunks.length === 1 ? first : Buffer.concat(chunks);
      response.bodyAsText = all === undefined ? '' : all.toString('utf8');
      this.#end();
      this.#outcome.resolve(response);
    });
    answer.on('error', ({ message }) => {
      const code = RestError.PARSE_ERROR;
      this.#fail(new RestError(`Error reading response as text: ${message}`, { code }));
    });
  }

  /**
   * A connection that had been idle and ends before an answer begins was, as good as always, closed before the
   * service saw the call. On a fresh one it may have been carried out.
   */
  #broken(sent: ClientRequest, error: Error & { readonly code?: string }): void {
    // What happens to an answer that has begun is told by the answer.
    if (this.#isSettled || this.#isAnswered) return;
    if (sent.reusedSocket && isClosed(error)) {
      closeIdle(this.#how.agent);
      this.#repeats += 1;
      const isAtHand = !isStream(this.#request.body);
      if (this.#repeats <= mostRepeats && isAtHand && this.#how.mayRepeat()) {
        this.start();
        return;
      }
    }
    const code = error.code ?? RestError.REQUEST_SEND_ERROR;
    this.#fail(new RestError(error.message, { code, request: this.#request }));
  }

  #fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#end();
    this.#outcome.reject(error);
  }

  #end(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this);
  }
}

function giveUp(sending: Sending): void {
  sending.abort('The service did not answer in time.');
}

/**
 * Makes the step. It answers text, or a stream where the call asks for one; it goes through no proxy, follows no
 * redirection, inflates nothing and reports no progress, none of which our calls ask for.
 *
 * The step rejects with `RestError`, with the code of Node's error, when a call could not be sent or its answer
 * not be read, and with `AbortError` when its signal fired or its time was over.
 */
export function callSender(
  url: string,
  { sockets, timeoutMs, timeoutOf, repeats = () => always }: SenderOptions,
): PipelinePolicy {
  const calls = keptSockets(url, sockets);
  const downloads = keptSockets(url, mostSockets.downloads);
  const timeLeft = (request: Begun): number => {
    if (timeoutOf === 'sending') return timeoutMs;
    const now = performance.now();
    const first = (request[begun] ??= now);
    return timeoutMs - (now - first);
  };
  return {
    name: 'callSender',
    sendRequest: (request) =>
      new Promise((resolve, reject) => {
        const left = timeLeft(request);
        if (request.abortSignal?.aborted === true || left <= 0) {
          reject(new AbortError('The operation was aborted before it was sent.'));
          return;
        }
        const isDownload = (request.streamResponseStatusCodes?.size ?? 0) > 0;
        const how = {
          agent: isDownload ? downloads : calls,
          timeoutMs: left,
          mayRepeat: repeats(),
        };
        new Sending(request, how, { resolve, reject }).start();
      }),
  };
}
