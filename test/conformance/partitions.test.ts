/** Data partitions: made by stores, listed, kept apart, and refused where they are not there. */
import { describe, expect, it } from '@jest/globals';
import { readConfig } from '../../src/host/config.js';
import { fresh, onEveryFace, pathOf, sample, type Client } from '../support/conformance.js';

interface Listed {
  readonly partitionKey: number;
  readonly partitionName: string;
  readonly createdDate: string;
}

async function listed(client: Client): Promise<readonly Listed[]> {
  const response = await client.get('/partitions');
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  return (await response.json()) as readonly Listed[];
}

const within = (name: string, path: string) => `/partitions/${name}${path}`;

async function storeIn(client: Client, name: string): Promise<ReturnType<typeof sample>> {
  const one = sample();
  const response = await client.send('POST', within(name, '/studies'), {
    body: one.file,
    headers: { 'Content-Type': 'application/dicom' },
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
  return one;
}

onEveryFace(
  (client) => {
    describe('partitions', () => {
      it('come into being with the first store, once, with ascending numbers', async () => {
        const [north, south] = [fresh('north-'), fresh('south-')];
        await storeIn(client, north);
        await Promise.all([storeIn(client, south), storeIn(client, south)]);
        const all = await listed(client);
        expect(all[0]).toMatchObject({ partitionKey: 1, partitionName: 'Microsoft.Default' });
        expect(all.map(({ partitionKey }) => partitionKey)).toEqual(all.map((_, at) => at + 1));
        const names = all.map(({ partitionName }) => partitionName);
        expect(names.filter((name) => name === north)).toHaveLength(1);
        expect(names.filter((name) => name === south)).toHaveLength(1);
        expect(names.indexOf(north)).toBeLessThan(names.indexOf(south));
        for (const { createdDate } of all) {
          expect(createdDate).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
          expect(Date.parse(createdDate)).toBeGreaterThan(Date.now() - 3_600_000);
        }
      });

      it('do not see each other', async () => {
        const [east, west] = [fresh('east-'), fresh('west-')];
        const one = await storeIn(client, east);
        await storeIn(client, west);
        const metadata = (name: string) => within(name, `${pathOf(one)}/metadata`);
        expect((await client.get(metadata(east))).status).toBe(200);
        expect((await client.get(metadata(west))).status).toBe(404);
      });

      it('are 400 under the Microsoft contracts when unknown, and hold nothing elsewhere', async () => {
        const nowhere = fresh('nowhere-');
        const search = await client.get(within(nowhere, '/studies'));
        const gone = await client.send('DELETE', within(nowhere, '/studies/1.2.3'));
        if (client.face.microsoft) {
          const text = 'Specified PartitionName does not exist.';
          expect(await client.refusal(search, 400)).toBe(text);
          expect(await client.refusal(gone, 400)).toBe(text);
        } else {
          expect(await search.json()).toEqual([]);
          expect(gone.status).toBe(404);
        }
        const names = (await listed(client)).map(({ partitionName }) => partitionName);
        expect(names).not.toContain(nowhere);
      });

      it('need a name of the right form', async () => {
        const response = await client.get(within('a%20b', '/studies'));
        const text = await client.refusal(response, 400);
        if (client.face.microsoft) expect(text).toBe('The specified PartitionName is invalid. ');
        else expect(text).toContain('1 to 64');
      });
    });
  },
  () => ({ config: { ...readConfig({ DICOMWEB_ALLOWED_ORIGINS: '*' }), partitions: true } }),
);

onEveryFace((client) => {
  it.each(['/partitions', '/partitions/north/studies'])(
    'partitions are refused where they are switched off: %s',
    async (path) => {
      const text = await client.refusal(await client.get(path), 400);
      expect(text).toBe('Data partitions feature is disabled.');
    },
  );
});
