/**
 * Steps of the tables SDK's request pipeline that differ from the SDK's own: which requests are sent
 * again, how long one may take, and how an entity is written.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallPolicy } from '../call-policies.js';
import { isReadInBatch } from './reads-in-batches.js';
import { isTransient, retryAfterSeconds } from '../translate-error.js';

type Response = Awaited<ReturnType<CallPolicy['sendRequest']>>;

const tries = 4;
const firstDelayMs = 150;
/** Rather give up than keep a request waiting for longer than this. */
const longestDelayMs = 10_000;

/** What became known while a write was sent. */
export interface WriteCall {
  /** When it was sent first, by `performance.now()`. */
  readonly begun: number;
  /** Sent more than once: a clash may then be one with itself. */
  repeated: boolean;
}

const writeCalls = new AsyncLocalStorage<WriteCall>();

/** Runs what sends a write, which notes in `call` what became known. */
export async function withWriteCall<T>(call: WriteCall, send: () => Promise<T>): Promise<T> {
  return await writeCalls.run(call, send);
}

/** A write is not sent after a sixth of the time that it has: leases count on its end. */
function lastSendingMs(timeoutMs: number): number {
  return timeoutMs / 6;
}

const always = () => true;

/** Of the call that is being sent: tells whether it may be sent again; a write notes then that it is. */
export function repeatsOf(timeoutMs: number): () => boolean {
  const call = writeCalls.getStore();
  if (call === undefined) return always;
  return () => {
    if (performance.now() - call.begun > lastSendingMs(timeoutMs)) return false;
    call.repeated = true;
    return true;
  };
}

/** Refusals that should mean that nothing was done, so that even an insert can be sent again. */
function wasNotDone(status: number): boolean {
  return status === 429 || status === 503;
}

function delayMs(attempt: number, response: Response | undefined): number {
  const asked = retryAfterSeconds(response?.headers);
  if (asked !== undefined) return asked * 1000;
  return firstDelayMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
}

/**
 * Sends reads again after any passing failure, writes only when the service says that it did
 * nothing, and soon. A write whose answer is lost must not be repeated here: its repetition would
 * clash with itself and report a success as a conflict. A repeated write says so in its `WriteCall`.
 *
 * @param timeoutMs how long one attempt may take; a read begins its last one within it, a write within
 *   a sixth of it.
 */
export function tableRetryPolicy(timeoutMs: number): CallPolicy {
  return {
    name: 'tableRetryPolicy',
    async sendRequest(request, next) {
      const isRead = request.method === 'GET' || isReadInBatch(request);
      const started = performance.now();
      const mostMs = isRead ? timeoutMs : lastSendingMs(timeoutMs);
      const isLate = (delay: number) => performance.now() - started + delay > mostMs;
      for (let attempt = 1; ; attempt += 1) {
        let response: Response | undefined;
        try {
          response = await next(request);
          const again = isRead ? isTransient(response.status) : wasNotDone(response.status);
          if (!again || attempt === tries) return response;
        } catch (error) {
          const isLast = attempt === tries || isLate(delayMs(attempt, undefined));
          if (!isRead || isLast || request.abortSignal?.aborted === true) throw error;
        }
        const delay = delayMs(attempt, response);
        if ((delay > longestDelayMs || isLate(delay)) && response !== undefined) return response;
        await sleep(delay, undefined, {
          // The SDK's own kind of signal is a plain one in fact.
          ...(request.abortSignal instanceof AbortSignal && { signal: request.abortSignal }),
        });
        const call = writeCalls.getStore();
        if (call !== undefined) call.repeated = true;
      }
    },
  };
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Writes an entity in ASCII, with JSON's escapes: Azurite decodes each chunk of a body by itself and
 * so garbles a character that lies across two.
 */
export function asciiEntityPolicy(): CallPolicy {
  return {
    name: 'asciiEntityPolicy',
    sendRequest(request, next) {
      const isJson = request.headers.get('Content-Type')?.startsWith('application/json') === true;
      if (isJson && typeof request.body === 'string') {
        request.body = request.body.replace(/[\u0080-\uffff]/g, escaped);
        request.headers.set('Content-Length', request.body.length);
      }
      return next(request);
    },
  };
}
