/** What the Functions host does with requests, and what becomes of them: docs/functions-host.md, row by row. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { timeBudgets, type TimeBudgets } from '../../../src/time-budgets.js';
import { begin, openSocket, readAll, responseOf } from '../../support/http-client.js';
import { chunkBytes, probeRoutes } from '../../support/host/probe-routes.js';
import { startService, type Service, type ServiceOptions } from '../../support/service.js';

let running: Service | undefined;
let round = 0;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(options: Partial<ServiceOptions> = {}) {
  round += 1;
  const prefix = `forward${round}`;
  const { probe, routes } = probeRoutes(prefix);
  running = await startService({ host: 'functions', ...options, extraRoutes: routes });
  return { service: running, probe, url: `${running.baseUrl}/${prefix}`, prefix };
}

/** Sends a head, and bytes of a body; resolves to what comes first. */
async function exchange({ baseUrl }: Service, head: string | Buffer, body = ''): Promise<string> {
  const socket = await openSocket(baseUrl);
  socket.write(
    Buffer.concat([
      Buffer.isBuffer(head) ? head : Buffer.from(head, 'latin1'),
      Buffer.from(`\r\n${body}`),
    ]),
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

/** No time-out of the service ends within a test: what waited for one would fail it. */
const withoutEnd = Object.fromEntries(
  Object.keys(timeBudgets).map((name) => [name, 60 * 60_000]),
) as Partial<TimeBudgets>;

const get = 'GET /studies HTTP/1.1\r\nHost: a\r\n';
const post = 'POST /studies HTTP/1.1\r\nHost: a\r\n';

describe('a request that Node would refuse in the worker', () => {
  it.each([
    [
      'more than 16 KiB of headers',
      431,
      'headers-too-large',
      `Cookie: ${'x'.repeat(20_000)}\r\n`,
      '',
    ],
    ['a control character', 400, 'invalid-header', 'X-A: a\x01b\r\n', ''],
    ['a delete character', 400, 'invalid-header', 'X-A: a\x7fb\r\n', ''],
    ['an expectation', 417, 'expectation-failed', 'Expect: foo\r\n', ''],
    [
      'a transfer coding',
      400,
      'invalid-header',
      'Transfer-Encoding: gzip, chunked\r\n',
      '3\r\nabc\r\n0\r\n\r\n',
    ],
    ['an invocation id', 400, 'invalid-header', 'x-ms-invocation-id: mine\r\n', ''],
    ['an empty invocation id', 400, 'invalid-header', 'X-MS-Invocation-Id:\r\n', ''],
  ])(
    'for %s is answered %i by the pipeline, waiting for no timer',
    async (_, status, code, line, body) => {
      const { service } = await start({ budgets: withoutEnd });
      for (const head of body === '' ? [get, post] : [post]) {
        const answer = await exchange(service, head + line, body);
        expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
        expect(answer).toContain('application/problem+json');
        expect(answer).toContain(`"code":"${code}"`);
        expect(answer.toLowerCase()).toContain('x-request-id: ');
      }
      expect(service.pending()).toBe(0);
      expect(service.log).toContainEqual(
        expect.objectContaining({ event: 'request', status, code }),
      );
      expect((await fetch(`${service.baseUrl}/health/check`)).status).toBe(200);
    },
  );

  it('is refused the same where the host replaces the id that a client sent', async () => {
    const { service } = await start({ functionsHost: { replacesInvocationId: true } });
    const answer = await exchange(service, `${get}x-ms-invocation-id: mine\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(service.pending()).toBe(0);
  });

  it('does not get at another that is under way under the id that it names', async () => {
    const { service, probe, url } = await start();
    const waiting = begin(`${url}/wait`, { headers: { 'x-ms-invocation-id': 'same' } }).end();
    expect((await responseOf(waiting)).statusCode).toBe(400);
    const first = fetch(`${url}/wait`);
    await probe.begun;
    const answers = await Promise.all(
      [get, `DELETE /studies/1.2 HTTP/1.1\r\nHost: a\r\n`].map(
        async (head) => await exchange(service, `${head}x-ms-invocation-id: same\r\n`),
      ),
    );
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 400 /);
    probe.release();
    expect(await (await first).text()).toBe('waited');
    expect(service.pending()).toBe(0);
  });
});

describe('what the host refuses by itself', () => {
  const unseen = async (service: Service, head: string | Buffer, body = ''): Promise<string> => {
    const answer = await exchange(service, head, body);
    expect(service.log).toEqual([]);
    expect(service.pending()).toBe(0);
    return answer.slice(0, answer.indexOf('\r\n'));
  };

  it.each([
    ['more than 32 KiB of headers', 431, `${get}Cookie: ${'x'.repeat(33_000)}\r\n`],
    ['more than a hundred headers', 431, get + 'X-A: b\r\n'.repeat(100)],
    ['a zero byte', 400, `${get}X-A: a\0b\r\n`],
    ['a header that is not UTF-8', 400, `${get}X-A: caf\xe9\r\n`],
    ['a second Host', 400, `${get}Host: b\r\n`],
    ['a second length', 400, `${post}Content-Length: 5\r\nContent-Length: 6\r\n`],
    ['a body whose end is not marked', 400, `${post}Transfer-Encoding: gzip\r\n`],
    [
      'a target of more than 8 KiB',
      414,
      `GET /studies?a=${'b'.repeat(9000)} HTTP/1.1\r\nHost: a\r\n`,
    ],
    ['two slashes first', 404, 'GET //studies HTTP/1.1\r\nHost: a\r\n'],
    ['a method of no function', 404, 'TRACE /studies HTTP/1.1\r\nHost: a\r\n'],
  ])('%s never gets here', async (_, status, head) => {
    const { service } = await start();
    expect(await unseen(service, head)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('a body above its limit, by its length or as it comes', async () => {
    const { service } = await start({ functionsHost: { bodyLimit: 1000 } });
    expect(await unseen(service, `${post}Content-Length: 1001\r\n`)).toContain(' 500 ');
    const chunk = `3e9\r\n${'x'.repeat(1001)}\r\n`;
    const answer = await exchange(service, `${post}Transfer-Encoding: chunked\r\n`, chunk);
    expect(answer).toMatch(/^HTTP\/1.1 (500|502) /);
  });
});

describe('what the host cannot forward', () => {
  it('is given up, and the worker goes on', async () => {
    const { service } = await start({ budgets: { forwarding: 1000 } });
    const answer = await exchange(service, Buffer.from(`${get}X-A: café\r\n`));
    expect(answer).toMatch(/^HTTP\/1.1 502 /);
    expect(service.pending()).toBe(0);
    expect((await fetch(`${service.baseUrl}/health/check`)).status).toBe(200);
  });
});

describe('bodies on their way through the host', () => {
  it('with a length are read whole before the function runs', async () => {
    const { url, probe } = await start();
    const outgoing = begin(`${url}/upload`, { method: 'POST', headers: { 'Content-Length': 2 } });
    let hasBegun = false;
    void probe.begun.then(() => {
      hasBegun = true;
    });
    outgoing.write('a');
    for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate);
    expect(hasBegun).toBe(false);
    outgoing.end('b');
    expect((await readAll(await responseOf(outgoing))).toString()).toBe('all of it');
  });

  it('in chunks reach the function as they come', async () => {
    const { url, probe } = await start();
    const outgoing = begin(`${url}/upload`, { method: 'POST' });
    outgoing.write(new Uint8Array(chunkBytes));
    await probe.begun;
    outgoing.end();
    expect((await responseOf(outgoing)).statusCode).toBe(200);
  });

  it('hold the answer back until they have been sent', async () => {
    const { url, service } = await start();
    const outgoing = begin(`${url}/ignore`, { method: 'POST' });
    outgoing.write(new Uint8Array(chunkBytes));
    let hasAnswer = false;
    outgoing.once('response', () => {
      hasAnswer = true;
    });
    while (service.log.length === 0) await new Promise(setImmediate);
    for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate);
    expect(hasAnswer).toBe(false);
    outgoing.end();
    expect((await readAll(await responseOf(outgoing))).toString()).toBe('not read');
  });
});
