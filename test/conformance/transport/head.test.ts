/** HEAD of every resource that has GET (RFC 9110 §9.3.2): the same headers, and nothing more. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Route } from '../../../src/dicomweb/route.js';
import { routes } from '../../../src/dicomweb/routes.js';
import { onEveryHost, sample } from '../../support/conformance.js';

const readable = Object.values<Route>(routes).filter(({ method }) => method === 'GET');
/** What differs between two answers that are the same. */
const varying = new Set([
  'date',
  'x-request-id',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'x-ms-invocation-id',
]);

/** What there is nothing of here: the answer to that is the same all the more. */
const refusals: Partial<Record<string, number>> = {
  readUpload: 404,
  readOperation: 404,
  readQueryTag: 404,
  listQueryTagErrors: 404,
  listPartitions: 400,
  listShares: 501,
};

onEveryHost((client) => {
  const one = sample();

  beforeAll(async () => {
    await client.store(one);
  });

  describe('HEAD', () => {
    it.each(readable)('is answered as GET is, without a body: $name', async (route) => {
      const query: Partial<Record<string, string>> = {
        retrieveByUri: `?requestType=WADO&studyUID=${one.study}&seriesUID=${one.series}&objectUID=${one.instance}`,
      };
      const path = route.path
        .replace('{study}', one.study)
        .replace('{series}', one.series)
        .replace('{instance}', one.instance)
        .replace('{frames}', '1')
        .replace('{tag}', '00200013')
        .replace('{*path}', '7FE00010');
      const prefix = route.scope === 'service' ? '' : client.face.prefix;
      const url = `${client.service.baseUrl}${prefix}/${path}${query[route.name] ?? ''}`;
      const [head, get] = [await fetch(url, { method: 'HEAD' }), await fetch(url)];
      await get.arrayBuffer();
      const headersOf = ({ headers }: Response) =>
        [...headers].filter(([name]) => !varying.has(name) && name !== 'content-length');
      expect(await head.text()).toBe('');
      expect(head.status).toBe(get.status);
      expect(get.status).toBe(refusals[route.name] ?? 200);
      const boundary = /boundary=\S+/;
      expect(headersOf(head).map((header) => header.join().replace(boundary, ''))).toEqual(
        headersOf(get).map((header) => header.join().replace(boundary, '')),
      );
    });

    it('is 405 where there is no GET, and Allow names HEAD beside GET', async () => {
      const none = await client.send('HEAD', '/studies/1.2/nothing');
      expect(none.status).toBe(404);
      const refused = await client.send('POST', `/studies/${one.study}/metadata`);
      await refused.arrayBuffer();
      expect(refused.headers.get('allow')?.split(', ')).toEqual(['GET', 'HEAD', 'OPTIONS']);
    });
  });
});
