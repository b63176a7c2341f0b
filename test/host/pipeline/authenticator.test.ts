/** Who may use a service without tokens: the machine it runs on, and the pages that it lets in. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { openTo } from '../../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../../src/host/config.js';
import { hosts, startService, type Service } from '../../support/service.js';
import { sendRaw } from '../../support/http-client.js';
import { headOf } from '../../../src/http/incoming-request.js';

const config = readConfig({ DICOMWEB_ALLOWED_ORIGINS: 'https://viewer.example' });
const authenticate = openTo(config);

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly origin?: string;
}

async function refusalOf({ method = 'GET', host = 'localhost:7071', origin }: Asked) {
  const headers = { Host: host, ...(origin !== undefined && { Origin: origin }) };
  const request = new Request('http://localhost:7071/studies', { method, headers });
  try {
    await authenticate(headOf(request));
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('openTo', () => {
  it.each(['localhost', 'LocalHost:7071', '127.0.0.1', '127.0.0.1:80', '[::1]', '[::1]:7071'])(
    'answers requests to %s',
    async (host) => {
      expect(await refusalOf({ host })).toBeUndefined();
    },
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'localhost:7071.evil.example',
    '127.0.0.2',
    '2130706433',
    '0.0.0.0:7071',
    '[::ffff:127.0.0.1]',
    'localhost.',
    '',
  ])(
    'refuses a request to %p, whatever it asks: a name may have been made to point here',
    async (host) => {
      expect(await refusalOf({ host })).toBe('foreign-host');
      expect(await refusalOf({ host, method: 'DELETE' })).toBe('foreign-host');
      expect(await refusalOf({ host, origin: 'https://viewer.example' })).toBe('foreign-host');
    },
  );

  it.each([
    'https://evil.example',
    'null',
    'https://viewer.example.evil.example',
    'http://viewer.example',
  ])('lets no page of %s change anything', async (origin) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      expect(await refusalOf({ method, origin })).toBe('foreign-origin');
    }
    expect(await refusalOf({ method: 'GET', origin })).toBeUndefined();
  });

  it.each([
    'https://viewer.example',
    'http://localhost:3000',
    'http://127.0.0.1:8080',
    'http://[::1]',
  ])('lets pages of %s change things', async (origin) => {
    expect(await refusalOf({ method: 'POST', origin })).toBeUndefined();
  });

  it('lets clients that are no page change things', async () => {
    expect(await refusalOf({ method: 'DELETE' })).toBeUndefined();
  });

  it('lets no page without an origin in, not even where any may', async () => {
    const toAny = openTo({ allowedOrigins: '*' });
    const ask = async (origin: string) =>
      await toAny(
        headOf(
          new Request('http://localhost/studies', { method: 'POST', headers: { Origin: origin } }),
        ),
      );
    await expect(ask('null')).rejects.toMatchObject({ code: 'foreign-origin' });
    expect(await ask('https://any.example')).toMatchObject({});
  });
});

describe.each(hosts)('a service without tokens on the %s host', (host) => {
  let service: Service | undefined;

  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });

  it('shows pages of this machine what it has, and no others', async () => {
    service = await startService({ host, config: readConfig({}) });
    const permission = async (origin: string) => {
      const response = await fetch(`${service?.baseUrl ?? ''}/studies?limit=0`, {
        headers: { Origin: origin },
      });
      await response.arrayBuffer();
      return response.headers.get('access-control-allow-origin');
    };
    expect(await permission('http://localhost:3000')).toBe('http://localhost:3000');
    expect(await permission('https://evil.example')).toBeNull();
    expect(await permission('null')).toBeNull();
  });

  it('answers 403 to a deletion by a page of elsewhere, with the way to let it in', async () => {
    service = await startService({ host, config: readConfig({}) });
    const response = await fetch(`${service.baseUrl}/studies/1.2.3`, {
      method: 'DELETE',
      headers: { Origin: 'https://evil.example' },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({
      code: 'foreign-origin',
      detail: expect.stringContaining('DICOMWEB_ALLOWED_ORIGINS'),
    });
  });
});

describe('the local host without tokens', () => {
  it('answers 403 to a name that was made to point at this machine', async () => {
    const service = await startService({ host: 'local', config: readConfig({}) });
    try {
      const answer = await sendRaw(
        service.baseUrl,
        'GET /studies HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      );
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain('foreign-host');
    } finally {
      await service.stop();
    }
  });
});
