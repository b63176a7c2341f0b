/**
 * The local host: the API on Node's HTTP server, for this machine unless told otherwise. Whoever is
 * silent, or takes nothing of an answer, makes room for others.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { defaultLimits } from '../../dicomweb/limits.js';
import type { Dispatch } from '../pipeline/dispatcher.js';
import { serve } from '../node/node-http.js';
import { timeBudgets } from '../../time-budgets.js';
import { refuseUnreadable } from '../node/unreadable-request.js';

/** The address that only this machine reaches. */
export const loopback = '127.0.0.1';

export interface DevServer {
  /** Such as `http://localhost:7071`. */
  readonly url: string;
  /** Takes no more requests, and resolves when those under way have ended or the time is over. */
  stop(graceMilliseconds?: number): Promise<void>;
}

export interface DevServerOptions {
  readonly host: string;
  /** Bytes of the largest request body. */
  readonly requestBytes: number;
  /** Connections at a time; further ones are closed at once. */
  readonly connections: number;
  /** Of these, connections without a request; the oldest are closed in favour of new ones. */
  readonly idleConnections: number;
  /** Milliseconds; `timeBudgets` says what each is. */
  readonly head: number;
  readonly uploadStall: number;
  readonly downloadStall: number;
  readonly discardStall: number;
}

const defaults: DevServerOptions = {
  ...timeBudgets,
  host: loopback,
  requestBytes: defaultLimits.requestBytes,
  connections: 1024,
  idleConnections: 256,
};

/** Closes what has been silent for longest: rather what never said anything. */
function makeRoom(silent: ReadonlySet<Socket>, idle: ReadonlySet<Socket>, most: number): void {
  if (silent.size + idle.size <= most) return;
  const [oldest] = silent.size > 1 ? silent : idle;
  oldest?.destroy();
}

/**
 * Listens on the loopback interface, or another; port 0 takes a free one.
 *
 * @throws Error with code `EADDRINUSE` when the port is taken.
 */
export async function startDevServer(
  dispatch: Dispatch,
  port: number,
  options: Partial<DevServerOptions> = {},
): Promise<DevServer> {
  const { host, requestBytes, connections, idleConnections, ...times } = {
    ...defaults,
    ...options,
  };
  const server = createServer({
    // An upload takes as long as it takes, while it goes on (`uploadStall`).
    requestTimeout: 0,
    headersTimeout: times.head,
    connectionsCheckingInterval: Math.ceil(times.head / 4),
    keepAliveTimeout: timeBudgets.idleConnection,
  });
  server.maxConnections = connections;
  /** Connections that have not had a request; Node's own list leaves them out. */
  const silent = new Set<Socket>();
  /** Connections between requests. */
  const idle = new Set<Socket>();
  const busy = new Map<Duplex, ServerResponse>();
  let stopping = false;

  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => {
      silent.delete(socket);
      idle.delete(socket);
    });
    makeRoom(silent, idle, idleConnections);
  });
  const listener = (message: IncomingMessage, response: ServerResponse) => {
    const { socket } = message;
    silent.delete(socket);
    idle.delete(socket);
    busy.set(socket, response);
    response.shouldKeepAlive &&= !stopping;
    response.once('close', () => {
      busy.delete(socket);
      if (stopping) socket.destroySoon();
      else if (!socket.destroyed) idle.add(socket);
    });
    void serve(dispatch, message, response, {
      discardBytes: requestBytes,
      stallMilliseconds: times.uploadStall,
      discardStallMilliseconds: times.discardStall,
    });
  };
  server.on('request', listener).on('checkExpectation', listener);
  // Node would otherwise tell every client to send its body before anyone has looked at the head.
  server.on('checkContinue', listener);
  server.on('clientError', (error, socket) => {
    refuseUnreadable(error, socket, busy.get(socket));
  });
  server.setTimeout(times.downloadStall, (socket: Socket) => {
    const response = busy.get(socket);
    // A handler takes its time; only a client that takes nothing is left.
    if (response === undefined || response.writableLength > 0) socket.destroy();
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;

  return {
    url: `http://localhost:${address.port}`,
    async stop(graceMilliseconds = 10_000) {
      stopping = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of [...silent, ...idle]) socket.destroy();
      const timer = setTimeout(() => server.closeAllConnections(), graceMilliseconds);
      await closed;
      clearTimeout(timer);
    },
  };
}
