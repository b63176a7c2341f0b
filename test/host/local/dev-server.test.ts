import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { startDevServer } from '../../../src/host/local/dev-server.js';
import type { Dispatch } from '../../../src/host/pipeline/dispatcher.js';
import { begin, openSocket, responseOf, sendRaw } from '../../support/http-client.js';
import { reply } from '../../../src/http/reply.js';

const echoUrl: Dispatch = async (request) => await Promise.resolve(reply(String(request.url)));

function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('startDevServer', () => {
  it('listens on the loopback interface', async () => {
    const server = await startDevServer(echoUrl, 0);
    expect(server.url).toMatch(/^http:\/\/localhost:\d+$/);
    expect(await (await fetch(`${server.url}/a?b=c`)).text()).toBe(`${server.url}/a?b=c`);
    await server.stop();
  });

  it('rejects when the port is taken', async () => {
    const server = await startDevServer(echoUrl, 0);
    const port = Number(new URL(server.url).port);
    await expect(startDevServer(echoUrl, port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await server.stop();
  });

  it('answers requests that have no web counterpart, and survives', async () => {
    const server = await startDevServer(echoUrl, 0);
    const trace = await sendRaw(server.url, 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(trace).toMatch(/^HTTP\/1\.1 400 /);
    const close = 'Connection: close\r\n\r\n';
    expect(await sendRaw(server.url, `GET /x HTTP/1.1\r\nHost: a b\r\n${close}`)).toContain(
      'http://localhost/x',
    );
    expect(
      await sendRaw(server.url, `GET http://proxied/x HTTP/1.1\r\nHost: b\r\n${close}`),
    ).toContain('http://proxied/x');
    expect(await sendRaw(server.url, `GET //evil/x HTTP/1.1\r\nHost: good\r\n${close}`)).toContain(
      'http://good//evil/x',
    );
    await server.stop();
  });

  it.each(['x/openapi.json#', 'x/health/check?', 'a@b', 'x\\\\y', 'x:99999', ' '])(
    'lets no Host header change the path: %p',
    async (host) => {
      const server = await startDevServer(echoUrl, 0);
      const close = 'Connection: close\r\n\r\n';
      const answer = await sendRaw(
        server.url,
        `GET /studies HTTP/1.1\r\nHost: ${host}\r\n${close}`,
      );
      await server.stop();
      expect(answer).toMatch(/^HTTP\/1\.1 400 |http:\/\/localhost\/studies$/m);
    },
  );

  it('finishes what is under way before it stops, and takes nothing more', async () => {
    const { opened: begun, open: begin1 } = gate();
    const { opened: released, open: release } = gate();
    const server = await startDevServer(async () => {
      begin1();
      await released;
      return reply('finished');
    }, 0);
    const idleClosed = once((await openSocket(server.url)).resume(), 'close');
    const answer = fetch(server.url);
    await begun;
    const stopped = server.stop(600_000);
    await expect(responseOf(begin(server.url).end())).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    release();
    expect(await (await answer).text()).toBe('finished');
    await stopped;
    await idleClosed;
  });

  it('ends what does not finish in time', async () => {
    const { opened: begun, open } = gate();
    const { opened: gone, open: leave } = gate();
    const server = await startDevServer(async (_, signal) => {
      signal.addEventListener('abort', leave);
      open();
      await gone;
      return reply('too late');
    }, 0);
    const answer = responseOf(begin(server.url).end());
    answer.catch(() => undefined);
    await begun;
    await server.stop(0);
    await gone;
    await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('keeps connections for the next request', async () => {
    const server = await startDevServer(echoUrl, 0);
    const response = await fetch(server.url);
    expect(response.headers.get('keep-alive')).toBe('timeout=65');
    await response.text();
    await server.stop();
  });
});
