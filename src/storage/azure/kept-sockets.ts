/**
 * Connections to storage that are kept between calls: a bounded number, closed by us before the other
 * side closes them.
 */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { timeBudgets } from '../../time-budgets.js';

/**
 * Most connections at a time to one endpoint. Azure lets an instance count on 128 source ports to
 * one destination, and tables and blobs may be one: what is short waits for its turn. Downloads last
 * as long as their readers, who must not keep others waiting: requests bound them, eight each.
 */
export const mostSockets = { tables: 48, blobs: 48, downloads: 512 } as const;

/** Of the time that the server says it keeps a connection; timers are late on a busy machine. */
const shareOfServerTime = 0.75;

/** Keeps connections to one endpoint, told by any of its URLs. */
export function keptSockets(url: string, maxSockets: number): HttpAgent {
  const timeout = timeBudgets.storageIdle;
  // The youngest idle one first.
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

/** Closes the idle ones: when the youngest had been closed, the others have been as well. */
export function closeIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
