/** What an attacker tries at the door: uploads without leave, forged framing and headers, echoes. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { ServiceError } from '../../src/errors.js';
import { securityHeaders } from '../../src/http/security-headers.js';
import { locked } from '../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../src/host/config.js';
import { createDispatcher } from '../../src/host/pipeline/dispatcher.js';
import { createPipeline } from '../../src/host/pipeline/pipeline.js';
import { startLocalHost } from '../../src/host/local/local-host.js';
import { routes } from '../../src/dicomweb/routes.js';
import { begin, responseOf, sendRaw } from '../support/http-client.js';
import { hosts, startService, type Service, type ServiceOptions } from '../support/service.js';

let running: Service | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(options: Partial<ServiceOptions> = {}): Promise<Service> {
  running = await startService({ host: 'local', ...options });
  return running;
}

const gibibyte = 1024 ** 3;

describe('an upload without leave', () => {
  const unused = async () => await Promise.reject(new ServiceError('storage-corrupt', 'Asked.'));

  it.each(['POST', 'PUT'])('by %s is refused before any of its body is read', async (method) => {
    const dispatch = createDispatcher(
      createPipeline({
        config: readConfig({}),
        authenticate: locked,
        services: unused,
        log: () => undefined,
      }),
      Object.values(routes),
    );
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>(
      {
        pull: () => {
          pulls += 1;
        },
      },
      { highWaterMark: 0 },
    );
    const headers = { 'Content-Type': 'application/dicom', 'Content-Length': String(gibibyte) };
    const init = { method, body, headers, duplex: 'half' } as const;
    const request = new Request('http://service.example/studies', init);
    const response = await dispatch(request, new AbortController().signal);
    expect(response.status).toBe(401);
    expect(pulls).toBe(0);
    expect(request.bodyUsed).toBe(false);
  });

  it('of a gibibyte is taken off the wire no further than the largest body', async () => {
    const service = await start({ access: 'locked', limits: { requestBytes: 1024 ** 2 } });
    const outgoing = begin(`${service.baseUrl}/studies`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/dicom', 'Content-Length': gibibyte },
    });
    outgoing.on('error', () => undefined);
    const chunk = new Uint8Array(1024 ** 2);
    let sent = 0;
    const closed = new Promise<void>((resolve) => outgoing.once('close', () => resolve()));
    const send = () => {
      if (outgoing.destroyed) return;
      sent += chunk.byteLength;
      outgoing.write(chunk, send);
    };
    send();
    const response = await responseOf(outgoing);
    expect(response.statusCode).toBe(401);
    response.resume().on('error', () => undefined);
    await closed;
    // What the kernels on both sides hold, at most.
    expect(sent).toBeLessThan(64 * 1024 ** 2);
  });

  it('is not even begun by a client that waits for leave', async () => {
    const service = await start({ access: 'locked' });
    const outgoing = begin(`${service.baseUrl}/studies`, {
      method: 'POST',
      headers: { Expect: '100-continue', 'Content-Length': gibibyte },
    });
    let continued = false;
    outgoing.on('continue', () => {
      continued = true;
    });
    outgoing.flushHeaders();
    expect((await responseOf(outgoing)).statusCode).toBe(401);
    expect(continued).toBe(false);
    outgoing.destroy();
  });
});

describe('the framing of requests on the local host', () => {
  const chunked = 'Transfer-Encoding: chunked\r\n';
  const smuggled = 'GET /health/check HTTP/1.1\r\nHost: a\r\n\r\n';

  it.each([
    ['a length and chunks', `Content-Length: 5\r\n${chunked}`],
    ['chunks and a length', `${chunked}Content-Length: 5\r\n`],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
    ['a list of lengths', 'Content-Length: 5, 6\r\n'],
    ['a length with a sign', 'Content-Length: +5\r\n'],
    ['a negative length', 'Content-Length: -5\r\n'],
    ['a length in hexadecimal', 'Content-Length: 0x5\r\n'],
    ['an unknown transfer encoding after chunks', 'Transfer-Encoding: chunked, x\r\n'],
    ['a space before the colon', 'Content-Length : 5\r\n'],
    ['a folded header', 'X-A: b\r\n Content-Length: 5\r\n'],
    ['a header without a name', ': 5\r\n'],
    ['a zero byte in a header', 'X-A: b\0c\r\n'],
  ])('%s is refused, and nothing behind it is answered', async (_, headers) => {
    const service = await start();
    const answer = await sendRaw(
      service.baseUrl,
      `POST /studies HTTP/1.1\r\nHost: a\r\n${headers}\r\n0\r\n\r\n${smuggled}`,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  });

  it('takes a line break in a path or a query for text', async () => {
    const service = await start();
    const evil = '%0d%0aX-Evil:%20yes';
    for (const path of [
      `/studies/1.2${evil}`,
      `/studies?limit=1${evil}`,
      `/studies?PatientName=${evil}`,
      `/partitions/x${evil}/studies`,
      `/v2${evil}/studies`,
    ]) {
      const response = await fetch(service.baseUrl + path);
      await response.arrayBuffer();
      expect([...response.headers.keys()]).not.toContain('x-evil');
    }
  });

  it('takes no host name from a header that is none', async () => {
    const service = await start({ config: { trustForwardedHeaders: true } });
    for (const header of ['X-Forwarded-Host', 'X-Original-Host']) {
      const response = await fetch(`${service.baseUrl}/studies?limit=0`, {
        headers: { [header]: 'evil.example/"><script>' },
      });
      expect(await response.text()).not.toContain('evil');
    }
  });
});

describe.each(hosts)('answers to errors on the %s host', (host) => {
  const marker = 'Xq7Zw9';
  const invalid = [404, 400, 400, 400, 400, 404, 400, 400, 400, 406, 415, 415, 415] as const;
  /** The host's own routes have no version. */
  const refusals = { '': [...invalid, 405], '/v2': [...invalid, 404] } as const;

  it('do not repeat the values that were sent', async () => {
    const service = await start({ host, config: { partitions: true } });
    const asks: readonly (readonly [string, RequestInit])[] = [
      [`/${marker}`, {}],
      [`/studies/${marker}`, {}],
      [`/studies/1.2/series/${marker}`, {}],
      [`/studies/1.2/series/1.3/instances/1.4/frames/${marker}`, {}],
      [`/partitions/${marker}%20/studies`, {}],
      [`/${marker}/studies`, {}],
      [`/studies?limit=${marker}`, {}],
      [`/studies?continuation=${marker}`, {}],
      [`/studies?fuzzymatching=${marker}`, {}],
      [`/studies/1.2`, { headers: { Accept: `text/${marker}` } }],
      [`/studies`, { method: 'POST', body: marker }],
      [`/studies`, { method: 'POST', body: marker, headers: { 'Content-Type': marker } }],
      [
        `/studies`,
        {
          method: 'POST',
          body: `--b\r\n${marker}: ${marker}\r\n\r\n${marker}`,
          headers: { 'Content-Type': `multipart/related; boundary=b; x=${marker}` },
        },
      ],
      [`/health/check`, { method: 'POST', body: marker }],
    ];
    for (const prefix of ['', '/v2'] as const) {
      const statuses: number[] = [];
      for (const [path, init] of asks) {
        const response = await fetch(service.baseUrl + prefix + path, init);
        const text = await response.text();
        expect({ path, status: response.status, text }).toMatchObject({
          status: expect.any(Number),
          text: expect.not.stringContaining(marker),
        });
        statuses.push(response.status);
        expect([...response.headers.values()].join('\n')).not.toContain(marker);
      }
      expect(statuses).toEqual(refusals[prefix]);
    }
  });

  it('repeat malformed dates, as text that no browser takes for a page', async () => {
    const service = await start({ host });
    const answer = await fetch(`${service.baseUrl}/studies?StudyDate=%3Cb%3E`);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await answer.text()).toContain('<b>');
  });

  it('are the same for a partition that is not there and for one that is forbidden', async () => {
    const north = new Set(['north']);
    const access = async () =>
      await Promise.resolve({ grants: new Map([['read', north]] as const) });
    const service = await start({ host, access, config: { partitions: true } });
    const open = { services: service.services };
    expect(open.services.partitions).toBe(true);
    const ask = async (partition: string) => {
      const headers = { 'X-Request-Id': 'one' };
      const url = `${service.baseUrl}/partitions/${partition}/studies`;
      const response = await fetch(url, { headers });
      const { status } = response;
      return {
        status,
        challenge: response.headers.get('www-authenticate'),
        text: await response.text(),
      };
    };
    const forbidden = await ask('south');
    expect(forbidden.status).toBe(403);
    expect(await ask('never-was')).toEqual(forbidden);
    expect(await ask('NORTH')).toEqual(forbidden);
    expect((await ask('north')).status).toBe(200);
    expect((await ask('n%6Frth')).status).toBe(200);
  });
});

describe('security headers', () => {
  it.each(hosts)('are on every answer of the %s host', async (host) => {
    const service = await start({ host, config: { trustForwardedHeaders: true } });
    for (const path of ['/studies', '/studies/x', '/nowhere', '/health/check', '/v2/studies']) {
      const { headers } = await fetch(service.baseUrl + path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toMatch(/^(private, no-cache|no-store)$/);
      expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      expect(headers.has('strict-transport-security')).toBe(false);
      expect(headers.has('x-powered-by')).toBe(false);
      // The platform names its own web server.
      expect(headers.get('server')).toBe(host === 'local' ? null : 'Kestrel');
    }
    const secure = await fetch(service.baseUrl + '/studies', {
      headers: { Forwarded: 'proto=https', 'X-Forwarded-Proto': 'https' },
    });
    if (host === 'local') {
      expect(secure.headers.get('strict-transport-security')).toBe('max-age=31536000');
    }
  });

  it('let pages show themselves and nothing else', () => {
    const of = (contentType: string | null) => securityHeaders({ isSecure: true, contentType });
    for (const type of ['text/html; charset=utf-8', 'TEXT/HTML', 'image/svg+xml']) {
      expect(of(type)['Content-Security-Policy']).toContain("default-src 'none'");
    }
    expect(of('application/dicom+json')).not.toHaveProperty('Content-Security-Policy');
    expect(of(null)).not.toHaveProperty('Content-Security-Policy');
  });
});

describe('startLocalHost', () => {
  it('does not open the service to other machines', async () => {
    const config = readConfig({ DICOMWEB_HOST: '0.0.0.0', PORT: '0' });
    await expect(startLocalHost(config, () => undefined)).rejects.toThrow('DICOMWEB_HOST must be');
    const none = readConfig({ DICOMWEB_HOST: '0.0.0.0', DICOM_AUTH_MODE: 'none', PORT: '0' });
    await expect(startLocalHost(none, () => undefined)).rejects.toThrow('DICOMWEB_HOST must be');
  });
});
