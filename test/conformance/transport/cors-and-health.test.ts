/** What stands beside the transactions: CORS for browser viewers, the health check, storage away. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { healthHolds } from '../../../src/dicomweb/health.js';
import { routes } from '../../../src/dicomweb/routes.js';
import { ServiceError } from '../../../src/errors.js';
import { Archive } from '../../../src/storage/archive/archive.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { Client, faces, onEveryHost, pathOf, sample } from '../../support/conformance.js';
import { hosts, startService, type Service } from '../../support/service.js';

const origin = 'https://viewer.example.com';

/** Every route at a URL form, as a method and a path. */
const resources = Object.values(routes)
  .filter((route) => route.scope !== 'service')
  .map(({ name, method, path, permission }) => ({
    name,
    method,
    isAnonymous: permission === 'anonymous',
    path: `/${path.replaceAll('{frames}', '1').replaceAll(/\{\w+\}/g, '1.2.3')}`,
  }));

onEveryHost((client) => {
  describe('a preflight', () => {
    it.each(resources)('is answered for $name', async ({ method, path }) => {
      const response = await client.send('OPTIONS', path, {
        headers: {
          Origin: origin,
          'Access-Control-Request-Method': method,
          'Access-Control-Request-Headers': 'authorization, content-type, accept, if-none-match',
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toMatch(/^(\*|https:.*)$/);
      const list = (name: string) =>
        response.headers
          .get(name)
          ?.split(',')
          .map((item) => item.trim().toLowerCase());
      expect(list('access-control-allow-methods')).toContain(method.toLowerCase());
      const methods = Object.values(routes).map((route) => route.method.toLowerCase());
      expect(list('access-control-allow-methods')?.toSorted()).toEqual(
        [...new Set([...methods, 'head', 'options'])].toSorted(),
      );
      expect(list('access-control-allow-headers')).toEqual(
        expect.arrayContaining(['authorization', 'content-type', 'accept', 'if-none-match']),
      );
    });
  });

  describe('CORS headers', () => {
    async function exposed(
      status: number,
      path: string,
      { method = 'GET', accept = '*/*', body = null as string | null } = {},
    ): Promise<void> {
      const headers = { Origin: origin, Accept: accept };
      const response = await client.send(method, path, { body, headers });
      await response.arrayBuffer();
      expect(response.status).toBe(status);
      expect(response.headers.get('access-control-allow-origin')).not.toBeNull();
      expect(response.headers.get('access-control-expose-headers')).toMatch(/ETag/);
      expect(response.headers.get('vary')).toMatch(/Origin/);
    }

    it('are on answers and on errors of every kind', async () => {
      const one = sample();
      await client.store(one);
      await exposed(200, pathOf(one));
      await exposed(200, '/studies');
      await exposed(400, '/studies?limit=x');
      await exposed(400, '/studies/1.2.x');
      await exposed(404, '/studies/1.2.3');
      await exposed(404, '/nothing/here');
      await exposed(406, '/studies', { accept: 'image/png' });
      await exposed(405, `${pathOf(one)}/frames/1`, { method: 'DELETE' });
      await exposed(415, '/studies', { method: 'POST', body: 'text' });
    });
  });
});

describe.each(hosts)('on the %s host', (host) => {
  let running: Service | undefined;

  async function start(options: Omit<Parameters<typeof startService>[0], 'host'>) {
    const service = await startService({ host, ...options });
    running = service;
    return service;
  }

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  it('answers the preflight of every route to a client without a token', async () => {
    const { baseUrl } = await start({ access: 'locked' });
    for (const face of faces) {
      for (const { method, path, isAnonymous } of resources) {
        const response = await fetch(baseUrl + face.prefix + path, {
          method: 'OPTIONS',
          headers: { Origin: origin, 'Access-Control-Request-Method': method },
        });
        expect(response.status).toBe(204);
        const refused = await fetch(baseUrl + face.prefix + path, {
          method,
          headers: { Origin: origin },
        });
        await refused.arrayBuffer();
        const status = isAnonymous ? 200 : 401;
        expect({ method, path, status: refused.status }).toEqual({ method, path, status });
        expect(refused.headers.get('access-control-allow-origin')).not.toBeNull();
      }
    }
  });

  it('is healthy while storage answers, and not when a part of it is away', async () => {
    const away: Record<'blob' | 'table', boolean> = { blob: false, table: false };
    const beforeCall = async ({ service }: { readonly service: 'blob' | 'table' }) => {
      await Promise.resolve();
      if (away[service]) throw new ServiceError('storage-unavailable', 'Storage does not answer.');
    };
    const archive = new Archive({
      tables: new MemoryTableStore({ beforeCall }),
      blobs: new MemoryBlobStore({ beforeCall }),
    });
    const service: Service = await start({
      services: async () => await Promise.resolve({ ...service.services, archive }),
    });
    const health = async () => {
      const response = await fetch(`${service.baseUrl}/health/check`);
      return [response.status, await response.json()];
    };
    expect(await health()).toEqual([
      200,
      {
        overallStatus: 'Healthy',
        details: [
          { name: 'Blob Storage', status: 'Healthy', description: 'Blob Storage answers.' },
          { name: 'Table Storage', status: 'Healthy', description: 'Table Storage answers.' },
        ],
      },
    ]);
    away.blob = true;
    // Anyone may ask, so a finding holds for a while.
    expect(await health()).toEqual([200, expect.anything()]);
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + healthHolds);
    expect(await health()).toEqual([
      503,
      expect.objectContaining({ overallStatus: 'Unhealthy' }) as unknown,
    ]);
    away.table = true;
    for (const face of faces) {
      const client = new Client(face, () => service);
      const { file, ...uids } = sample();
      for (const response of [
        await client.get('/studies'),
        await client.get(pathOf(uids)),
        await client.get(`/studies/${uids.study}/metadata`),
        await client.stow([file]),
        await client.send('DELETE', pathOf(uids)),
      ]) {
        expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
        await client.refusal(response, 503);
      }
    }
    away.blob = away.table = false;
    clock.mockReturnValue(now + 2 * healthHolds);
    expect(await health()).toEqual([200, expect.anything()]);
    clock.mockRestore();
    await archive.close();
  });
});
