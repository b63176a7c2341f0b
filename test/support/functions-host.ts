/**
 * Plays the Azure Functions host in front of the library's proxy: finds the function by the
 * registered templates and methods, forwards the request, runs the invocation, and streams both ways
 * with back-pressure, resets passed through.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as forward,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { createRouter } from '../../src/host/router.js';
import { FunctionsCore } from './functions-core.js';

export interface FunctionsHost {
  readonly url: string;
  stop(): Promise<void>;
}

/** What of the worker the host talks to; the benchmark has it in another process. */
type Core = Pick<FunctionsCore, 'functions' | 'start' | 'invoke'>;

/** Serves the registered functions on a free port. */
export async function startFunctionsHost(core: Core): Promise<FunctionsHost> {
  const proxyUrl = await core.start();
  const router = createRouter(
    core.functions.flatMap((value) => {
      const [, { route = '', methods = [] }] = FunctionsCore.trigger(value);
      return methods.map((method) => ({ method, template: route, value }));
    }),
  );
  const agent = new Agent({ keepAlive: true });

  function handle(message: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = message;
    const [path = '/'] = url.split('?');
    const found = router.match(method, path);
    if (found === undefined) {
      response.writeHead(404).end();
      return;
    }
    const invocationId = randomUUID();
    const outgoing = forward(new URL(proxyUrl).origin + url, {
      // Keeps `//` in the path, which a URL would take for a host name.
      path: url,
      method,
      agent,
      headers: {
        ...headers,
        'x-ms-invocation-id': invocationId,
        'x-forwarded-host': headers.host ?? '',
        'x-forwarded-proto': 'http',
      },
    });
    const flat = Object.entries(message.headersDistinct).map(([name, values]) => [
      name,
      values?.join(', '),
    ]);
    core
      .invoke(found.value, {
        invocationId,
        params: found.params,
        headers: Object.fromEntries(flat) as Record<string, string>,
      })
      // Kept in `core.failures`; the client learns of it by the reset that the app gives, or hangs.
      .catch(() => undefined);
    outgoing.on('response', (incoming) => {
      response.writeHead(incoming.statusCode ?? 500, incoming.rawHeaders);
      pipeline(incoming, response, () => undefined);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => {
      if (!response.writableFinished) outgoing.destroy();
    });
    outgoing.flushHeaders();
    message.pipe(outgoing);
  }

  const server = createServer({ requestTimeout: 0 }, handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      agent.destroy();
    },
  };
}
