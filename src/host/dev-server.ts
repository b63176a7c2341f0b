/** The local host: the API on Node's HTTP server, for this machine unless told otherwise. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Dispatch } from './dispatcher.js';
import { serve } from './node-http.js';

/** The address that only this machine reaches. */
export const loopback = '127.0.0.1';
/** Longer than clients and proxies keep idle connections, so that they close first. */
const idleMilliseconds = 65_000;

export interface DevServer {
  /** Such as `http://localhost:7071`. */
  readonly url: string;
  /** Takes no more requests, and resolves when those under way have ended or the time is over. */
  stop(graceMilliseconds?: number): Promise<void>;
}

/**
 * Listens on the loopback interface, or another; port 0 takes a free one.
 *
 * @throws Error with code `EADDRINUSE` when the port is taken.
 */
export async function startDevServer(
  dispatch: Dispatch,
  port: number,
  host: string = loopback,
): Promise<DevServer> {
  // No time limit on requests: an upload takes as long as it takes.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: idleMilliseconds });
  /** Connections without a request. Node's own list leaves out those that never had one. */
  const idle = new Set<Socket>();
  let stopping = false;

  server.on('connection', (socket) => {
    idle.add(socket);
    socket.once('close', () => idle.delete(socket));
  });
  const listener = (message: IncomingMessage, response: ServerResponse) => {
    const { socket } = message;
    idle.delete(socket);
    response.shouldKeepAlive &&= !stopping;
    response.once('close', () => {
      if (stopping) socket.destroySoon();
      else if (!socket.destroyed) idle.add(socket);
    });
    void serve(dispatch, message, response);
  };
  // Node would otherwise tell every client to send its body before anyone has looked at the head.
  server.on('request', listener).on('checkContinue', listener);

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
      for (const socket of idle) socket.destroy();
      const timer = setTimeout(() => server.closeAllConnections(), graceMilliseconds);
      await closed;
      clearTimeout(timer);
    },
  };
}
