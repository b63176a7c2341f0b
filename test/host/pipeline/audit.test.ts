/** The line that tells of a request: who, what, how it ended; and what it never tells. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Principal } from '../../../src/auth/principal.js';
import { grantsOf } from '../../../src/auth/roles.js';
import type { Route } from '../../../src/dicomweb/route.js';
import { auditHeadersOf, StoreTally } from '../../../src/host/pipeline/audit.js';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import { Client, freshUids, pathOf, sample, standard } from '../../support/conformance.js';
import { keepSecret, secretsIn } from '../../support/leaks.js';
import { hosts, startService, type Service, type ServiceOptions } from '../../support/service.js';

let running: Service | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

const jane: Principal = {
  grants: grantsOf(['Dicom.Admin'], []),
  objectId: 'jane',
  appId: 'viewer',
};

async function start(options: Partial<ServiceOptions> = {}) {
  const access = async () => await Promise.resolve(jane);
  const service = await startService({ host: 'local', access, ...options });
  running = service;
  return { service, client: new Client(standard, () => service) };
}

/** The line of the last request; it is written a moment after the client has the answer. */
async function lastLine(service: Service, count = 1): Promise<LogEntry | undefined> {
  while (service.log.length < count) await new Promise(setImmediate);
  return service.log.at(-1);
}

describe.each(hosts)('the audit on the %s host', (host) => {
  it('tells who stored how much where, and what it took', async () => {
    const { service, client } = await start({ host, storage: 'azurite' });
    const [one, other] = [sample(), sample()];
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const response = await client.stow([one.file, other.file], {
      headers: {
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
        'X-Request-Id': 'call-7',
        'Accept-Encoding': 'identity',
        'X-MS-AZUREDICOM-AUDIT-Reason': 'referral',
      },
    });
    const { byteLength } = await response.arrayBuffer();
    const line = await lastLine(service);
    expect(line).toMatchObject({
      event: 'request',
      requestId: 'call-7',
      traceId,
      route: 'storeInstances',
      permission: 'write',
      caller: { objectId: 'jane', appId: 'viewer' },
      partition: 'Microsoft.Default',
      audit: { reason: 'referral' },
      status: 200,
      outcome: 'complete',
      bytesOut: byteLength,
    });
    const { stored, bytesIn, storageCalls } = line as Extract<LogEntry, { event: 'request' }>;
    expect(stored?.instances).toBe(2);
    expect(new Set(stored?.studies)).toEqual(new Set([one.study, other.study]));
    expect(bytesIn).toBeGreaterThan(one.file.byteLength + other.file.byteLength);
    expect(storageCalls).toBeGreaterThan(3);
  });

  it('counts the calls behind a body that is read after the handler is done', async () => {
    const { service, client } = await start({ host, storage: 'azurite' });
    const one = sample();
    await client.store(one, sample({ study: one.study }), sample({ study: one.study }));
    await client.bytes(pathOf({ study: one.study }), '*/*');
    const line = await lastLine(service, 2);
    expect(line).toMatchObject({ route: 'retrieveStudy', uids: { study: one.study } });
    // Three files, and what finds them.
    expect((line as { storageCalls: number }).storageCalls).toBeGreaterThan(3);
  });

  it('tells the UIDs of a path, and nothing else that stands in one', async () => {
    const { service, client } = await start({ host });
    const uids = freshUids();
    await (await client.get(pathOf(uids))).text();
    expect(await lastLine(service)).toMatchObject({
      uids,
      status: 404,
      code: 'instance-not-found',
    });
    const { study, series, instance } = uids;
    await (
      await client.get(
        `/wado?requestType=WADO&studyUID=${study}&seriesuid=${series}&objectUID=${instance}`,
      )
    ).text();
    expect(await lastLine(service, 2)).toMatchObject({ uids, route: 'retrieveByUri' });
    await (await client.get('/studies/Doe%5EJohn/metadata')).text();
    const line = await lastLine(service, 3);
    expect(line).not.toHaveProperty('uids');
    expect(JSON.stringify(line)).not.toContain('Doe');
  });

  it('leaves UIDs out where they are not wanted', async () => {
    const { service, client } = await start({ host, config: { auditUids: false } });
    const one = sample();
    await client.store(one);
    await client.remove(pathOf(one));
    await lastLine(service, 2);
    expect(service.log).toEqual([
      expect.objectContaining({ stored: { instances: 1 } }),
      expect.objectContaining({ route: 'deleteInstance' }),
    ]);
    expect(JSON.stringify(service.log)).not.toContain(one.study);
  });

  it('tells who was refused what', async () => {
    const reader = { ...jane, grants: grantsOf(['Dicom.Read'], []) };
    const access = async () => await Promise.resolve(reader);
    const { service, client } = await start({ host, access });
    await client.remove(pathOf(freshUids()));
    expect(await lastLine(service)).toMatchObject({
      caller: { objectId: 'jane' },
      permission: 'delete',
      status: 403,
      code: 'forbidden',
    });
  });

  it('takes ten headers of 2048 characters, and no more', async () => {
    const { service, client } = await start({ host });
    const headers = (count: number, length: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `x-ms-azuredicom-audit-${index}`,
          'v'.repeat(length),
        ]),
      );
    const ask = async (init: Record<string, string>) =>
      await client.send('GET', '/studies', { headers: init });
    expect((await ask(headers(5, 2048))).status).toBe(200);
    await client.refusal(await ask(headers(11, 1)), 400);
    await client.refusal(await ask(headers(1, 2049)), 400);
    await lastLine(service, 3);
  });
});

describe('auditHeadersOf', () => {
  it('takes ten, and passes others over', () => {
    const pairs = Array.from({ length: 10 }, (_, index): [string, string] => [
      `X-MS-AZUREDICOM-AUDIT-Key${index}`,
      'v'.repeat(2048),
    ]);
    const headers = new Headers([...pairs, ['X-MS-Other', 'x']]);
    expect(Object.keys(auditHeadersOf(headers))).toHaveLength(10);
  });
});

describe('StoreTally', () => {
  it('tells the number of instances, and of studies the first twenty', () => {
    const tally = new StoreTally();
    expect(tally.note(true)).toBeUndefined();
    for (let index = 0; index < 50; index += 1) tally.add(`1.2.${index % 25}`);
    expect(tally.note(true)?.instances).toBe(50);
    expect(tally.note(true)?.studies).toHaveLength(20);
    expect(tally.note(false)).toEqual({ instances: 50 });
  });
});

describe('the search for leaks', () => {
  it('finds a name in the log of a service, when that stops', async () => {
    keepSecret('Leaky^Lena');
    const leaky: Route = {
      name: 'leaky',
      method: 'GET',
      path: 'leaky',
      permission: 'read',
      handler: async () => {
        await Promise.resolve();
        throw new Error('cannot index the value Leaky^Lena');
      },
    };
    const service = await startService({ host: 'local', extraRoutes: [leaky] });
    await (await fetch(`${service.baseUrl}/leaky`)).text();
    await lastLine(service, 2);
    await expect(service.stop()).rejects.toThrow('Leaky^Lena');
  });

  it('does not take parts of words for one', () => {
    keepSecret('Anna');
    expect(secretsIn('Annabel at /src/Anna/file.ts')).toEqual([]);
    expect(secretsIn('{"name":"Anna"}')).toEqual(['Anna']);
  });
});
