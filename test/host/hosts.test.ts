/** What both hosts must do with requests, responses and connections: one suite, run on each. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { parsePartition } from '../../src/storage/archive/keys.js';
import { begin, firstChunk, readAll, responseOf } from '../support/http-client.js';
import { chunkBytes, probeRoutes } from '../support/host/probe-routes.js';
import { hosts, startService, type Service, type ServiceOptions } from '../support/service.js';

let running: Service | undefined;
let round = 0;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** Starts the service with probe routes of its own; returns its URL up to them. */
async function start(options: ServiceOptions) {
  round += 1;
  const prefix = `probe${round}`;
  const { probe, routes } = probeRoutes(prefix);
  running = await startService({ ...options, extraRoutes: routes });
  return { service: running, probe, url: `${running.baseUrl}/${prefix}`, prefix };
}

/** Lets everything that can happen without the other side happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2000; turn += 1) await new Promise(setImmediate);
}

/** Waits for something that no event tells of; the time limit of the test bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

/** A body in chunks, streamed. */
function upload(count: number): RequestInit {
  let left = count;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (left === 0) controller.close();
      else controller.enqueue(new Uint8Array(chunkBytes));
      left -= 1;
    },
  });
  return { method: 'POST', body, duplex: 'half' };
}

describe.each(hosts)('the %s host: requests', (host) => {
  it('answers the health check', async () => {
    const { service } = await start({ host });
    const response = await fetch(`${service.baseUrl}/health/check`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ overallStatus: 'Healthy' });
  });

  it('answers the health check on Azurite', async () => {
    const { service } = await start({ host, storage: 'azurite' });
    const response = await fetch(`${service.baseUrl}/health/check`);
    expect(await response.json()).toMatchObject({ overallStatus: 'Healthy' });
  });

  it('decodes path parameters and keeps repeated query keys in order', async () => {
    const { url } = await start({ host });
    const response = await fetch(`${url}/echo/1.2.3/a%20b%2Bc%C3%A9?x=1&y=%2B&x=2`);
    expect(await response.json()).toMatchObject({
      params: { one: '1.2.3', two: 'a b+cé' },
      query: [
        ['x', '1'],
        ['y', '+'],
        ['x', '2'],
      ],
    });
  });

  it('passes request headers on', async () => {
    const { url } = await start({ host });
    const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*, image/*';
    const response = await fetch(`${url}/echo/1/2`, { headers: { Accept: accept } });
    expect(await response.json()).toMatchObject({ accept });
  });

  it('serves every URL form with its profile, partition and base URL', async () => {
    const { service, prefix } = await start({ host, config: { partitions: true } });
    const { baseUrl, services } = service;
    await services.partitionRegistry.ensure(parsePartition('north'));
    const echo = async (base: string): Promise<unknown> =>
      await (await fetch(`${baseUrl}${base}/${prefix}/echo/1/2`)).json();
    const standard = 'Microsoft.Default';
    expect(await echo('')).toMatchObject({ profile: 'ps3.18', partition: standard, baseUrl });
    expect(await echo('/v1')).toMatchObject({ profile: 'v1', baseUrl: `${baseUrl}/v1` });
    expect(await echo('/V2.0')).toMatchObject({ profile: 'v2', baseUrl: `${baseUrl}/v2` });
    expect(await echo('/partitions/north')).toMatchObject({
      partition: 'north',
      baseUrl: `${baseUrl}/partitions/north`,
    });
    expect(await echo('/v2/partitions/north')).toMatchObject({
      profile: 'v2',
      partition: 'north',
      baseUrl: `${baseUrl}/v2/partitions/north`,
    });
  });

  it('matches paths in any case, with a final slash and with doubled slashes', async () => {
    const { service, prefix } = await start({ host });
    const upper = prefix.toUpperCase();
    // The platform itself does not find a path that begins with two.
    const doubled = `${host === 'local' ? '/' : ''}/${prefix}//echo/a/b`;
    for (const path of [`/${upper}/ECHO/a/b`, `/${prefix}/echo/a/b/`, doubled]) {
      const response = await fetch(service.baseUrl + path);
      expect(await response.json()).toMatchObject({ params: { one: 'a', two: 'b' } });
    }
  });

  it('answers 404 to unknown paths and 405 with Allow to unknown methods', async () => {
    const { service } = await start({ host });
    const unknown = await fetch(`${service.baseUrl}/nowhere`);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: 'route-not-found' });
    const method = await fetch(`${service.baseUrl}/health/check`, { method: 'PUT', body: 'x' });
    expect(method.status).toBe(405);
    expect(method.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
    const version = await fetch(`${service.baseUrl}/v2/nowhere`);
    expect(version.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(version.headers.get('api-supported-versions')).toBe('1.0-prerelease, 1, 2');
  });

  it('answers preflights everywhere without authentication', async () => {
    const { service } = await start({ host, access: 'locked' });
    for (const path of ['/studies', '/nowhere', '/health/check']) {
      const response = await fetch(service.baseUrl + path, {
        method: 'OPTIONS',
        headers: { Origin: 'https://viewer.example', 'Access-Control-Request-Method': 'POST' },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-allow-methods')).toContain('POST');
    }
  });

  it('refuses everything but anonymous routes while locked', async () => {
    const { url, service } = await start({ host, access: 'locked' });
    const refused = await fetch(`${url}/echo/1/2`, { headers: { Origin: 'https://a.example' } });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('Bearer');
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect((await fetch(`${service.baseUrl}/health/check`)).status).toBe(200);
  });
});

describe.each(hosts)('the %s host: uploads', (host) => {
  it('streams a large upload to the handler in many chunks', async () => {
    const { url } = await start({ host });
    const response = await fetch(`${url}/count`, upload(320));
    const counted = (await response.json()) as { bytes: number; chunks: number };
    expect(counted.bytes).toBe(320 * chunkBytes);
    expect(counted.chunks).toBeGreaterThan(20);
  });

  it('answers before the body has been read, and the connection stays usable', async () => {
    const { url } = await start({ host });
    const first = await fetch(`${url}/ignore`, upload(100));
    expect(await first.text()).toBe('not read');
    expect((await fetch(`${url}/count`, upload(1))).status).toBe(200);
  });

  it('lets the answer of a handler that gave up midway reach the client', async () => {
    const { url } = await start({ host });
    const response = await fetch(`${url}/first-chunk`, upload(100));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'invalid-multipart' });
  });

  it('answers 413 to a body that announces itself as too large', async () => {
    const { url } = await start({ host, limits: { requestBytes: 1000 } });
    const headers = { 'Content-Length': 1001 };
    const outgoing = begin(`${url}/count`, { method: 'POST', headers });
    // The Functions host waits for the body; we do not.
    if (host === 'local') outgoing.flushHeaders();
    else outgoing.end(new Uint8Array(1001));
    const incoming = await responseOf(outgoing);
    expect(incoming.statusCode).toBe(413);
    outgoing.destroy();
  });

  it('answers 413 to a body that turns out to be too large', async () => {
    const { url } = await start({ host, limits: { requestBytes: 10 * chunkBytes } });
    const response = await fetch(`${url}/count`, upload(20));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ limitValue: 10 * chunkBytes });
  });

  it('tells the handler when the client goes amid its upload', async () => {
    const { url, probe, service } = await start({ host });
    const outgoing = begin(`${url}/upload`, { method: 'POST' });
    outgoing.on('error', () => undefined);
    outgoing.write(new Uint8Array(chunkBytes));
    await probe.begun;
    outgoing.destroy();
    await probe.clientGone;
    await until(() => service.log.length > 0);
    expect(service.log).toEqual([
      expect.objectContaining({ event: 'request', code: 'client-aborted', outcome: 'aborted' }),
    ]);
  });
});

describe.each(hosts)('the %s host: streamed answers', (host) => {
  it('does not read ahead of a client that does not read', async () => {
    const { url, probe } = await start({ host });
    const count = 1024;
    const outgoing = begin(`${url}/stream/${count}`).end();
    const incoming = await responseOf(outgoing);
    const first = await firstChunk(incoming);
    await settle();
    expect(probe.pulled).toBeLessThan(count / 2);
    const rest = await readAll(incoming);
    expect(first.byteLength + rest.byteLength).toBe(count * chunkBytes);
    await probe.sourceClosed;
  });

  it('closes the source when the client goes', async () => {
    const { url, probe, service } = await start({ host });
    const outgoing = begin(`${url}/stream/1000000`).end();
    outgoing.on('error', () => undefined);
    const incoming = await responseOf(outgoing);
    await firstChunk(incoming);
    incoming.destroy();
    await probe.sourceClosed;
    await until(() => service.log.length > 0);
    expect(service.log).toEqual([
      expect.objectContaining({ event: 'request', status: 200, outcome: 'aborted' }),
    ]);
  });

  it('resets the connection when the source fails midway', async () => {
    const { url, service } = await start({ host });
    const incoming = await responseOf(begin(`${url}/fail-midway/50`).end());
    expect(incoming.statusCode).toBe(200);
    await expect(readAll(incoming)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const events = service.log.map((entry) => [entry.event, 'outcome' in entry && entry.outcome]);
    expect(events).toEqual([
      ['fault', false],
      ['request', 'failed'],
    ]);
  });

  it('aborts the signal of a handler whose client goes before the answer', async () => {
    const { url, probe } = await start({ host });
    const outgoing = begin(`${url}/wait`).end();
    outgoing.on('error', () => undefined);
    await probe.begun;
    outgoing.destroy();
    await probe.clientGone;
  });

  it('answers the next request on the same connection', async () => {
    const { url } = await start({ host });
    for (let turn = 0; turn < 20; turn += 1) {
      const response = await fetch(`${url}/stream/3`);
      expect((await response.arrayBuffer()).byteLength).toBe(3 * chunkBytes);
    }
  });

  it('tells nothing of an unexpected error but the request under which it is logged', async () => {
    const { url, service } = await start({ host });
    const response = await fetch(`${url}/throw`, { headers: { 'X-Request-Id': 'call-1' } });
    expect(response.status).toBe(500);
    expect(response.headers.get('x-request-id')).toBe('call-1');
    expect(await response.text()).not.toContain('secret detail');
    expect(service.log).toContainEqual(
      expect.objectContaining({
        event: 'fault',
        requestId: 'call-1',
        error: expect.stringContaining('secret detail'),
      }),
    );
  });
});

describe('the local host', () => {
  it('discards what a handler left of a body, so that its connection stays usable', async () => {
    const { url } = await start({ host: 'local' });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; turn < 2; turn += 1) {
      const outgoing = begin(`${url}/peek`, { method: 'POST', agent });
      const closed = once(outgoing, 'close');
      outgoing.end(new Uint8Array(200 * chunkBytes));
      expect((await readAll(await responseOf(outgoing))).toString()).toBe('peeked');
      await closed;
    }
    agent.destroy();
  });

  it('sends 100 Continue only to a client whose body is wanted', async () => {
    const { url } = await start({ host: 'local', limits: { requestBytes: 1000 } });
    const headers = { Expect: '100-continue', 'Content-Length': 1000 };
    const wanted = begin(`${url}/count`, { method: 'POST', headers });
    wanted.flushHeaders();
    await once(wanted, 'continue');
    wanted.end(new Uint8Array(1000));
    expect((await responseOf(wanted)).statusCode).toBe(200);

    const unwanted = begin(`${url}/count`, {
      method: 'POST',
      headers: { ...headers, 'Content-Length': 1001 },
    });
    let continued = false;
    unwanted.on('continue', () => {
      continued = true;
    });
    unwanted.flushHeaders();
    const refused = await responseOf(unwanted);
    expect(refused.statusCode).toBe(413);
    expect(refused.headers.connection).toBe('close');
    expect(continued).toBe(false);
    unwanted.destroy();
  });
});
