/** Time-outs end requests with a clear answer and leave nothing behind: with small budgets, waiting for events. */
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import { Client, dicomPart, sample, standard, until } from '../../support/conformance.js';
import { begin, openSocket, readAll, responseOf } from '../../support/http-client.js';
import { writeParts } from '../../support/multipart.js';
import { chunkBytes, probeRoutes } from '../../support/host/probe-routes.js';
import { hosts, startService, type Service, type ServiceOptions } from '../../support/service.js';

let running: Service | undefined;
let round = 0;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(options: ServiceOptions) {
  round += 1;
  const prefix = `deadline${round}`;
  const { probe, routes } = probeRoutes(prefix);
  running = await startService({ ...options, extraRoutes: routes });
  return { service: running, probe, url: `${running.baseUrl}/${prefix}` };
}

const tooLate = expect.objectContaining({ event: 'request', status: 408, code: 'request-timeout' });

/** Begins an upload in chunks that stops after one. */
function stall(url: string) {
  const outgoing = begin(`${url}/upload`, { method: 'POST' });
  outgoing.on('error', () => undefined);
  outgoing.write(new Uint8Array(chunkBytes));
  return outgoing;
}

describe.each(hosts)('on the %s host', (host) => {
  it('an upload that stalls is answered 408', async () => {
    const { url, service } = await start({ host, budgets: { uploadStall: 50 } });
    const outgoing = stall(url);
    const answer = responseOf(outgoing);
    await until(() => service.log.length > 0);
    // Behind the Functions host the answer waits for the end of the body.
    outgoing.end();
    const response = await answer;
    expect(response.statusCode).toBe(408);
    expect((await readAll(response)).toString()).toContain('request-timeout');
    expect(service.log).toEqual([tooLate]);
    await until(() => service.pending() === 0);
  });

  it('an upload that never goes on ends, and does not hold its invocation', async () => {
    const budgets = { uploadStall: 50, discardStall: 50 };
    const { url, service } = await start({ host, budgets });
    const outgoing = stall(url);
    await until(() => service.log.length > 0);
    expect(service.log).toEqual([tooLate]);
    await until(() => service.pending() === 0);
    outgoing.destroy();
  });
});

describe('on the Functions host, at the end of the time of an invocation', () => {
  it('an upload ends with 408', async () => {
    const { url, service } = await start({ host: 'functions', budgets: { request: 100 } });
    const outgoing = stall(url);
    await until(() => service.log.length > 0);
    outgoing.end();
    expect((await responseOf(outgoing)).statusCode).toBe(408);
    expect(service.log).toEqual([tooLate]);
    expect(service.pending()).toBe(0);
  });

  it('a download is cut, its source closed, and the log says why', async () => {
    const { url, service, probe } = await start({ host: 'functions', budgets: { request: 300 } });
    const response = await responseOf(begin(`${url}/stream/1000000`).end());
    expect(response.statusCode).toBe(200);
    await expect(readAll(response)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await probe.sourceClosed;
    await until(() => service.log.length > 0 && service.pending() === 0);
    expect(service.log).toEqual([
      expect.objectContaining({ status: 200, outcome: 'failed', code: 'request-timeout' }),
    ]);
  });

  it('a download that its client does not read is cut too', async () => {
    const { url, service, probe } = await start({ host: 'functions', budgets: { request: 300 } });
    const response = await responseOf(begin(`${url}/stream/1000000`).end());
    response.on('error', () => undefined);
    await probe.sourceClosed;
    await until(() => service.pending() === 0);
    response.destroy();
  });

  it('a handler that does not end is answered for', async () => {
    const services = async () => await new Promise<never>(() => undefined);
    const budgets = { request: 20, lateHandler: 20 };
    const { service } = await start({ host: 'functions', budgets, services });
    const response = await fetch(`${service.baseUrl}/studies`);
    expect(response.status).toBe(408);
    expect(await response.json()).toMatchObject({ code: 'request-timeout' });
    await until(() => service.pending() === 0);
  });
});

describe('the local host', () => {
  it('answers 408 to a head that does not end, and closes', async () => {
    const { service } = await start({ host: 'local', budgets: { head: 50 } });
    const socket = await openSocket(service.baseUrl);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
    const answer = Buffer.concat(chunks).toString();
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('request-timeout');
  });

  it('closes connections that never say anything', async () => {
    const { service } = await start({ host: 'local', budgets: { head: 50 } });
    const socket = (await openSocket(service.baseUrl)).resume();
    await once(socket, 'close');
  });

  it('closes the oldest of many silent connections, and serves meanwhile', async () => {
    const connections = { idleConnections: 20 };
    const { service } = await start({ host: 'local', connections });
    const sockets = await Promise.all(
      Array.from({ length: 500 }, async () => (await openSocket(service.baseUrl)).resume()),
    );
    let open = sockets.length;
    for (const socket of sockets) {
      socket
        .on('error', () => undefined)
        .on('close', () => {
          open -= 1;
        });
    }
    expect((await fetch(`${service.baseUrl}/health/check`)).status).toBe(200);
    await until(() => open <= 20);
    for (const socket of sockets) socket.destroy();
  });

  it('takes no more connections than it may have', async () => {
    const { service } = await start({ host: 'local', connections: { connections: 2 } });
    const held = [await openSocket(service.baseUrl), await openSocket(service.baseUrl)];
    const refused = (await openSocket(service.baseUrl)).on('error', () => undefined).resume();
    await once(refused, 'close');
    for (const socket of held) socket.destroy();
  });

  it('cuts off a client that takes nothing of its answer', async () => {
    const { url, probe } = await start({ host: 'local', budgets: { downloadStall: 100 } });
    const response = await responseOf(begin(`${url}/stream/1000000`).end());
    response.on('error', () => undefined);
    await probe.sourceClosed;
  });

  it('leaves a handler its time, however quiet its connection', async () => {
    const options = { host: 'local', budgets: { downloadStall: 20 } } as const;
    const { url, probe, service } = await start(options);
    const answer = fetch(`${url}/wait`);
    await probe.begun;
    // A connection as quiet as the other, and younger, is closed.
    await once((await openSocket(service.baseUrl)).resume(), 'close');
    probe.release();
    expect(await (await answer).text()).toBe('waited');
  });

  describe('stores', () => {
    const headers = { 'Content-Type': 'multipart/related; type="application/dicom"; boundary=abc' };

    /** Begins to store two instances, and stops amid the second, which `service` has not seen the end of. */
    function stallStore({ baseUrl }: Service) {
      const [first, second] = [sample(), sample()];
      const body = writeParts([first.file, second.file].map(dicomPart), 'abc');
      const outgoing = begin(`${baseUrl}/studies`, { method: 'POST', headers });
      outgoing.on('error', () => undefined).on('response', (incoming) => incoming.resume());
      outgoing.write(body.subarray(0, body.length - 300));
      return { outgoing, first };
    }

    async function storesOne(service: Service) {
      const client = new Client(standard, () => service);
      const one = sample();
      expect((await client.stow([one.file])).status).toBe(200);
      expect(await client.isThere(one.study)).toBe(true);
    }

    it('beside 64 that stall', async () => {
      const { service } = await start({ host: 'local', limits: { storeRequests: 65 } });
      const stalled = Array.from({ length: 64 }, () => stallStore(service));
      await until(async () => {
        const { blobs } = await service.services.archive.blobs.list('instances', {});
        return stalled.every(({ first }) => blobs.some(({ name }) => name.includes(first.study)));
      });
      await storesOne(service);
      for (const { outgoing } of stalled) outgoing.destroy();
      const isAborted = (entry: LogEntry) => 'code' in entry && entry.code === 'client-aborted';
      await until(() => service.log.filter(isAborted).length === 64);
    });

    it('in place of 64 that stalled', async () => {
      const { service } = await start({
        host: 'local',
        limits: { storeRequests: 64 },
        budgets: { uploadStall: 50, discardStall: 50 },
      });
      const stalled = Array.from({ length: 64 }, () => stallStore(service));
      await until(() => service.log.length === 64);
      expect(service.log).toEqual(Array.from({ length: 64 }, () => tooLate));
      await storesOne(service);
      for (const { outgoing } of stalled) outgoing.destroy();
    });
  });
});
