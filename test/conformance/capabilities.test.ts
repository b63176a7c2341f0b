/** Retrieve Capabilities (PS3.18 §8.9): the documents tell of what the route table has, and no more. */
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import packageJson from '../../package.json';
import { describeRoute } from '../../src/dicomweb/capabilities/described-route.js';
import { valuesOffers } from '../../src/dicomweb/retrieve/bulkdata/choose-bulk.js';
import {
  instanceMetadataOffers,
  metadataOffers,
} from '../../src/dicomweb/retrieve/metadata/metadata-representations.js';
import { routes } from '../../src/dicomweb/routes.js';
import type { Route } from '../../src/dicomweb/route.js';
import { searchOffers } from '../../src/dicomweb/search/results/search-representations.js';
import { onEveryFace, pathOf, sample } from '../support/conformance.js';
import { hosts, startService, type Service } from '../support/service.js';

const table = Object.values<Route>(routes);
const wadl = 'application/vnd.sun.wadl+xml';

interface Operation {
  readonly operationId: string;
  readonly security: readonly object[];
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: object };
  readonly responses: { readonly '2XX': { readonly content?: object } };
}

interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string; readonly title: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

describe.each(hosts)('the documents about the API on the %s host', (host) => {
  let running: Service | undefined;

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function start(): Promise<Service> {
    running = await startService({ host, access: 'locked' });
    return running;
  }

  it('give every route in OpenAPI, to anyone', async () => {
    const { baseUrl } = await start();
    const response = await fetch(`${baseUrl}/openapi.json`);
    expect(response.headers.get('content-type')).toBe('application/json');
    const { openapi, info, servers, paths } = (await response.json()) as OpenApi;
    expect(openapi).toBe('3.1.0');
    expect(info.version).toBe(packageJson.version);
    expect(servers.map(({ url }) => url)).toEqual([baseUrl, `${baseUrl}/v2`, `${baseUrl}/v1`]);
    for (const route of table) {
      const { name, method, path, pathParameters, takes, answers: sent } = describeRoute(route);
      const operation = paths[`/${path}`]?.[method.toLowerCase()];
      expect(operation?.operationId).toBe(name);
      expect(
        operation?.parameters.filter((one) => one.in === 'path').map((one) => one.name),
      ).toEqual(pathParameters);
      expect(Object.keys(operation?.requestBody?.content ?? {})).toEqual(takes);
      expect(Object.keys(operation?.responses['2XX'].content ?? {})).toEqual(sent);
      expect(operation?.security).toEqual(route.permission === 'anonymous' ? [] : [{ token: [] }]);
    }
    const operations = Object.values(paths).flatMap((path) =>
      Object.keys(path).filter((key) => key !== 'servers'),
    );
    expect(operations).toHaveLength(table.length);
  });

  it.each(['v1', 'v2'] as const)(
    'tell of %s by the names that the Microsoft server gives them',
    async (version) => {
      const { baseUrl } = await start();
      const json = await fetch(`${baseUrl}/${version}/api.json`);
      expect(json.headers.get('content-type')).toBe('application/json');
      const text = await json.text();
      const { info, servers, paths } = JSON.parse(text) as OpenApi;
      expect(info.version).toBe(packageJson.version);
      expect(info.title).toContain(version);
      expect(servers).toEqual([{ url: `${baseUrl}/${version}` }]);
      expect(Object.keys(paths)).toContain('/studies/{study}');
      expect(Object.keys(paths)).not.toContain('/health/check');
      const yaml = await fetch(`${baseUrl}/${version}/api.yaml`);
      expect(yaml.headers.get('content-type')).toBe('application/yaml');
      expect(await yaml.text()).toBe(text);
    },
  );

  it('give every route in WADL, to those who may read', async () => {
    const { baseUrl } = await start();
    expect((await fetch(`${baseUrl}/capabilities`)).status).toBe(401);
    const response = await fetch(`${baseUrl}/`, { method: 'OPTIONS' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(wadl);
    const text = await response.text();
    expect(text).toContain(`<resources base="${baseUrl}/">`);
    const named = [...text.matchAll(/<method name="(\w+)" id="(\w+)">/g)].map(
      ([, method, name]) => `${method ?? ''} ${name ?? ''}`,
    );
    expect(named.toSorted()).toEqual(
      table.map(({ method, name }) => `${method} ${name}`).toSorted(),
    );
    expect(text).toContain('mediaType="multipart/related; type=&quot;application/dicom&quot;"');
  });
});

onEveryFace((client) => {
  describe('OPTIONS', () => {
    it('describes the resource alone', async () => {
      const path = '/studies/1.2.3/metadata';
      const response = await client.send('OPTIONS', path);
      expect(response.status).toBe(200);
      expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
      const text = await response.text();
      expect(text.match(/<method /g)).toHaveLength(1);
      expect(text).toContain('<param name="study" style="template"');
      expect(text).toContain(`<resources base="${client.baseUrl}/">`);
      const json = await client.send('OPTIONS', path, { headers: { accept: 'application/json' } });
      const { paths } = (await json.json()) as OpenApi;
      expect(Object.keys(paths)).toEqual(['/studies/{study}/metadata']);
    });

    it('names every method', async () => {
      const response = await client.send('OPTIONS', '/studies');
      await response.arrayBuffer();
      expect(response.headers.get('allow')?.split(', ').toSorted()).toEqual([
        'GET',
        'HEAD',
        'OPTIONS',
        'POST',
        'PUT',
      ]);
    });

    it('is 404 where nothing is, 406 for what is not offered', async () => {
      await client.refusal(await client.send('OPTIONS', '/nowhere'), 404);
      const headers = { accept: 'image/png' };
      await client.refusal(await client.send('OPTIONS', '/studies', { headers }), 406);
    });
  });

  describe('media types', () => {
    const one = sample();
    /** Those that do not depend on what is stored. */
    const kinds: readonly (readonly unknown[])[] = [
      metadataOffers,
      instanceMetadataOffers,
      searchOffers,
      valuesOffers,
    ];
    const cases = table.filter(
      (route) => route.method === 'GET' && kinds.includes(route.handler.answers ?? []),
    );

    beforeAll(async () => {
      await client.store(one);
    });

    it.each(cases.map((route) => [route.name, route] as const))(
      'that are told of %s can be had',
      async (_name, route) => {
        const path = route.path
          .replace('{study}', one.study)
          .replace('{series}', one.series)
          .replace('{instance}', one.instance);
        for (const accept of describeRoute(route).answers) {
          const response = await client.get(`/${path}`, accept);
          await response.arrayBuffer();
          expect({ accept, status: response.status }).toEqual({ accept, status: 200 });
          expect(response.headers.get('content-type')).toContain(accept.split(';')[0] ?? '');
        }
      },
    );

    it('that are not told of cannot', async () => {
      const response = await client.get(`${pathOf(one)}/metadata`, 'text/csv');
      await client.refusal(response, 406);
    });
  });
});
