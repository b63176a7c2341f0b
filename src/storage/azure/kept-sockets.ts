/**
 * Connections to storage that are kept between calls: a bounded number, closed by us before the other
 * side closes them, and a call that meets one which has been closed all the same is sent again.
 */
import { Agent as HttpAgent, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { timeBudgets } from '../../time-budgets.js';
import type { CallPolicy } from './call-policies.js';

/**
 * Most connections at a time to one endpoint. Azure lets an instance count on 128 source ports to
 * one destination, and tables and blobs may be one: what is short waits for its turn. Downloads last
 * as long as their readers, who must not keep others waiting: requests bound them, eight each.
 */
export const mostSockets = { tables: 48, blobs: 48, downloads: 512 } as const;

/** How often a call is sent again after a closed connection. */
const mostRepeats = 3;
/** Of the time that the server says it keeps a connection; timers are late on a busy machine. */
const shareOfServerTime = 0.75;

/** What Node asks of an agent for each request; the types leave it out. */
type RequestAgent = HttpAgent & {
  addRequest(request: ClientRequest, ...more: readonly unknown[]): void;
};

/**
 * An agent as one sending of a call sees it: it remembers the request until that has been sent. A connection
 * keeps the agent that it was opened with for as long as it lives, and whatever that holds.
 */
class Sending {
  readonly agent: RequestAgent;
  #request: ClientRequest | undefined;

  constructor(agent: HttpAgent) {
    const shared = agent as RequestAgent;
    this.agent = Object.create(shared) as RequestAgent;
    this.agent.addRequest = (request, ...more) => {
      this.#request = request;
      shared.addRequest(request, ...more);
    };
  }

  /** Whether it went out on a connection that had been idle. */
  get isOnKept(): boolean {
    return this.#request?.reusedSocket === true;
  }

  /** Lets go of the request, of its body and of its answer. */
  end(): void {
    this.#request = undefined;
  }
}

/** Keeps connections to one endpoint. */
function agentFor(url: string, maxSockets: number): HttpAgent {
  const timeout = timeBudgets.storageIdle;
  // The youngest idle one first: when that has been closed, the others have been as well.
  const options = { keepAlive: true, timeout, maxSockets, scheduling: 'lifo' } as const;
  const agent = url.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options);
  // The types do not tell that it answers whether the connection can be kept.
  const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean;
  agent.keepSocketAlive = (
    socket: Duplex & { timeout?: number; setTimeout?(ms: number): void },
  ) => {
    const kept = keep(socket);
    // Node goes by the server's `Keep-Alive: timeout`, up to the last second or to the very last.
    const left = socket.timeout ?? timeout;
    if (left < timeout) socket.setTimeout?.(left * shareOfServerTime);
    return kept;
  };
  return agent;
}

function dropIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

/** Whether the connection ended before an answer began. */
function isClosed(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** Whether a body can be sent twice. */
function isAtHand(body: unknown): boolean {
  return typeof body !== 'object' || body === null || !('pipe' in body);
}

/**
 * Sends calls on kept connections. One that ends before its answer begins on a connection that had been
 * idle was, as good as always, never seen by the service: it is sent again. On a fresh connection it
 * may have been carried out, and fails.
 *
 * @param mayRepeat asked, where the call was made, before it is sent again.
 */
export function keptSocketsPolicy(
  url: string,
  maxSockets: number,
  mayRepeat: () => boolean = () => true,
): CallPolicy {
  const calls = agentFor(url, maxSockets);
  const downloads = agentFor(url, mostSockets.downloads);
  return {
    name: 'keptSocketsPolicy',
    async sendRequest(request, next) {
      const isDownload = (request.streamResponseStatusCodes?.size ?? 0) > 0;
      const agent = isDownload ? downloads : calls;
      for (let repeats = 0; ; repeats += 1) {
        const sending = new Sending(agent);
        request.agent = sending.agent;
        try {
          return await next(request);
        } catch (error) {
          if (!sending.isOnKept || !isClosed(error)) throw error;
          dropIdle(agent);
          if (repeats === mostRepeats || !isAtHand(request.body) || !mayRepeat()) throw error;
        } finally {
          sending.end();
        }
      }
    },
  };
}
