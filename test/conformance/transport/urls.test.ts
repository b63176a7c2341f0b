/** URLs both ways: how requests may spell them, and how answers name what the client can reach. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Client,
  faces,
  onEveryHost,
  pathOf,
  sample,
  valueOf,
  type Json,
} from '../../support/conformance.js';
import { hosts, startService, type Service } from '../../support/service.js';

onEveryHost((client) => {
  describe('paths', () => {
    it.each([
      // Not the first: the platform finds no function for a path that begins with two.
      ['doubled slashes', (path: string) => path.replaceAll(/(?<=.)\//g, '//')],
      ['literals in capitals', (path: string) => path.replace('/studies', '/STUDIES')],
      ['literals in mixed case', (path: string) => path.replace('/series', '/Series')],
      ['a slash at the end', (path: string) => `${path}/`],
      [
        'spaces at the end of a UID',
        (path: string) => path.replace(/(studies\/[\d.]+)/, '$1%20%20'),
      ],
      ['percent-encoded periods', (path: string) => path.replace('1.2', '1%2E2')],
    ])('may have %s', async (_what, respelled) => {
      const one = sample();
      await client.store(one);
      for (const path of [
        pathOf(one),
        `${pathOf(one)}/metadata`,
        `${pathOf(one)}/frames/1`,
        `/studies/${one.study}/series`,
      ]) {
        const response = await client.get(respelled(path));
        await response.arrayBuffer();
        expect({ path, status: response.status }).toEqual({ path, status: 200 });
      }
    });

    it('may have doubled slashes when storing', async () => {
      const one = sample();
      const response = await client.send(
        'POST',
        client.face.prefix === '' ? '/studies//' : '//studies',
        {
          body: one.file,
          headers: { 'Content-Type': 'application/dicom' },
        },
      );
      const answer = (await response.json()) as Json;
      const item = answer['00081199']?.Value?.[0] as Json;
      expect(valueOf(item, '00081190')).toBe(client.url(pathOf(one)));
    });
  });
});

/** The headers of every answer, whatever its status. */
const commonHeaders = { 'x-content-type-options': 'nosniff' };
const microsoftHeaders = {
  ...commonHeaders,
  // Any origin may read answers here, hence embed them.
  'content-security-policy': "frame-src 'self'; frame-ancestors *",
  'api-supported-versions': '1.0-prerelease, 1, 2',
};

onEveryHost((client) => {
  it.each(['/studies', '/studies?limit=x', '/studies/1.2.3', '/nothing'])(
    'every answer has the headers of its contract: %s',
    async (path) => {
      const response = await client.get(path);
      await response.arrayBuffer();
      const { microsoft } = client.face;
      expect(Object.fromEntries(response.headers)).toMatchObject(
        microsoft ? microsoftHeaders : commonHeaders,
      );
      if (!microsoft) expect(response.headers.get('api-supported-versions')).toBeNull();
    },
  );
});

describe.each(hosts)('versions on the %s host', (host) => {
  let running: Service | undefined;

  beforeAll(async () => {
    running = await startService({ host });
  });

  afterAll(async () => {
    await running?.stop();
  });

  it.each([
    ['v1.0', 'v1'],
    ['v1.0-prerelease', 'v1'],
    ['v1-prerelease', 'v1'],
    ['v2.0', 'v2'],
    ['V2', 'v2'],
  ])('%s is another spelling of %s', async (spelling, version) => {
    const one = sample();
    const base = running?.baseUrl ?? '';
    const response = await fetch(`${base}/${spelling}/studies`, {
      method: 'POST',
      body: one.file,
      headers: { 'Content-Type': 'application/dicom' },
    });
    const answer = (await response.json()) as Json;
    const item = answer['00081199']?.Value?.[0] as Json;
    expect(valueOf(item, '00081190')).toBe(`${base}/${version}${pathOf(one)}`);
    expect('00741048' in item).toBe(version === 'v2');
  });

  it.each(['v3', 'v0', 'v', 'x'])('there is no %s', async (version) => {
    const response = await fetch(`${running?.baseUrl ?? ''}/${version}/studies`);
    await response.arrayBuffer();
    expect(response.status).toBe(404);
  });
});

describe.each(hosts)('on the %s host', (host) => {
  let running: Service | undefined;

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  /** Every URL of ours in the answers about an instance. */
  async function urlsIn(client: Client, headers: Readonly<Record<string, string>> = {}) {
    const one = sample();
    const response = await client.stow([one.file], { study: one.study, headers });
    const texts = [await response.text()];
    for (const path of [
      `/studies?StudyInstanceUID=${one.study}&includefield=RetrieveURL`,
      `${pathOf(one)}/metadata`,
      pathOf({ study: one.study }),
    ]) {
      texts.push(await (await client.send('GET', path, { headers })).text());
    }
    const urls = texts.flatMap((text) => [...text.matchAll(/https?:\/\/[^"\s]+/g)]);
    return { one, urls: [...new Set(urls.map(([url]) => url))] };
  }

  it.each(faces)('names the public URL that is configured, at the URLs of $name', async (face) => {
    const config = { publicUrl: 'https://images.example.com/pacs/' };
    const service = await startService({ host, config });
    running = service;
    const { one, urls } = await urlsIn(new Client(face, () => service));
    const base = `https://images.example.com/pacs${face.prefix}`;
    expect(urls).toEqual(
      expect.arrayContaining([base + pathOf(one), base + pathOf({ study: one.study })]),
    );
    for (const url of urls) expect(url.startsWith(`${base}/studies/${one.study}`)).toBe(true);
  });

  it.each(faces)('names the host that was asked, at the URLs of $name', async (face) => {
    const service = await startService({ host });
    running = service;
    const client = new Client(face, () => service);
    const { one, urls } = await urlsIn(client);
    expect(urls).toContain(client.url(pathOf(one)));
    for (const url of urls) expect(url.startsWith(client.url('/studies/'))).toBe(true);
  });
});

describe('behind a proxy', () => {
  it.each(faces)('names the host that the client asked, at the URLs of $name', async (face) => {
    const config = { trustForwardedHeaders: true };
    const service = await startService({ host: 'local', config });
    try {
      const one = sample();
      const client = new Client(face, () => service);
      const response = await client.stow([one.file], {
        study: one.study,
        headers: {
          'X-Forwarded-Host': 'dicom.example.com',
          'X-Forwarded-Proto': 'https',
        },
      });
      const answer = (await response.json()) as Json;
      const base = `https://dicom.example.com${face.prefix}`;
      expect(valueOf(answer, '00081190')).toBe(base + pathOf({ study: one.study }));
      const item = answer['00081199']?.Value?.[0] as Json;
      expect(valueOf(item, '00081190')).toBe(base + pathOf(one));
    } finally {
      await service.stop();
    }
  });
});
