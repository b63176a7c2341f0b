import { describe, expect, it } from '@jest/globals';
import type { Route, RouteDefinition } from '../../../src/dicomweb/route.js';
import { createServices } from '../../../src/dicomweb/services.js';
import { ServiceError } from '../../../src/errors.js';
import { locked, openTo, type Authenticator } from '../../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../../src/host/config.js';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import type { HostRoute } from '../../../src/host/pipeline/exchange.js';
import { createPipeline, type PipelineParts } from '../../../src/host/pipeline/pipeline.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { listed } from '../../../src/dicomweb/read-ahead.js';
import { reply } from '../../../src/http/reply.js';
import { asResponse } from '../../support/host/web-response.js';

const config = readConfig({ DICOMWEB_ALLOWED_ORIGINS: '*' });
const services = createServices(
  { tables: new MemoryTableStore(), blobs: new MemoryBlobStore() },
  config,
);

interface Call {
  readonly route?: Partial<RouteDefinition>;
  readonly hostRoute?: HostRoute;
  readonly parts?: Partial<PipelineParts>;
  readonly url?: string;
  readonly init?: RequestInit;
  readonly params?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends one request through a pipeline; reads the answer to its end. */
async function call(options: Call) {
  const log: LogEntry[] = [];
  const pipeline = createPipeline({
    config,
    authenticate: openTo(config),
    services: async () => await Promise.resolve(services),
    log: (entry) => log.push(entry),
    ...options.parts,
  });
  const route: Route = {
    name: 'aRoute',
    method: 'GET',
    path: 'a/route',
    permission: 'read',
    handler: async () => await Promise.resolve(reply('body')),
    ...options.route,
  };
  const answer = await pipeline(
    options.hostRoute ?? route,
    new Request(options.url ?? 'http://localhost/a/route', options.init),
    options.params ?? {},
    options.signal ?? new AbortController().signal,
  );
  const response = asResponse(answer);
  return { response, body: await response.text(), log };
}

const failing = (error: unknown): Partial<RouteDefinition> => ({
  handler: async () => {
    await Promise.resolve();
    throw error;
  },
});

describe('the pipeline: Server-Timing', () => {
  const timingOf = async (headers: Record<string, string>, parts: Partial<PipelineParts> = {}) =>
    (await call({ init: { headers }, parts })).response.headers.get('server-timing');
  const form = /^auth;dur=\d+\.\d, storage;dur=\d+\.\d;desc="0 calls", total;dur=\d+\.\d$/;

  it('tells where the time went to those who ask', async () => {
    expect(await timingOf({ Prefer: 'server-timing' })).toMatch(form);
    expect(await timingOf({ Prefer: 'count=exact, Server-Timing' })).toMatch(form);
  });

  it('tells nothing to those who do not ask, or are not let in', async () => {
    expect(await timingOf({})).toBeNull();
    expect(await timingOf({ Prefer: 'server-timings' })).toBeNull();
    expect(await timingOf({ Prefer: 'server-timing' }, { authenticate: locked })).toBeNull();
  });
});

describe('the pipeline: request ids', () => {
  const idOf = async (headers: Record<string, string>) =>
    (await call({ init: { headers } })).response.headers.get('x-request-id');

  it('takes the id of the caller, or the trace, or a new one', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
    expect(await idOf({ 'X-Request-Id': 'abc-1', traceparent })).toBe('abc-1');
    expect(await idOf({ traceparent })).toBe(trace);
    expect(await idOf({})).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
  });

  it('does not take an id that could forge a log line or a header', async () => {
    expect(await idOf({ 'X-Request-Id': '{"a":1}' })).toMatch(/^[\da-f-]{36}$/);
    expect(await idOf({ 'X-Request-Id': 'x'.repeat(129) })).toMatch(/^[\da-f-]{36}$/);
  });
});

describe('the pipeline: access', () => {
  const readOnly: Authenticator = async () =>
    await Promise.resolve({ grants: new Map([['read', 'everywhere']] as const) });

  it('asks nobody who wants an anonymous route', async () => {
    const anonymous = {
      route: { permission: 'anonymous' },
      parts: { authenticate: locked },
    } as const;
    expect((await call(anonymous)).response.status).toBe(200);
  });

  it('answers 401 without a caller, and says why', async () => {
    const { response, body } = await call({ parts: { authenticate: locked } });
    expect(response.status).toBe(401);
    expect(body).toContain('Authentication is not configured');
  });

  it('answers 403 to a caller without the permission', async () => {
    const parts = { authenticate: readOnly };
    expect((await call({ parts })).response.status).toBe(200);
    const refused = await call({ parts, route: { permission: 'delete' } });
    expect(refused.response.status).toBe(403);
    expect(refused.body).toContain('delete');
  });

  it('answers host routes to anyone, even while storage is away', async () => {
    const parts: Partial<PipelineParts> = {
      authenticate: locked,
      services: async () => await Promise.reject(new ServiceError('storage-unavailable', 'Away.')),
    };
    const hostRoute = { name: 'host', answer: () => reply('here') };
    expect((await call({ parts, hostRoute })).body).toBe('here');
    const normal = await call({ parts: { ...parts, authenticate: openTo(config) } });
    expect(normal.response.status).toBe(503);
    expect(normal.response.headers.has('retry-after')).toBe(true);
  });
});

describe('the pipeline: guards', () => {
  it('refuses markup in query strings on Microsoft profiles only', async () => {
    const url = 'http://localhost/studies?PatientName=%3Cscript';
    expect((await call({ url, params: { version: 'v2' } })).response.status).toBe(400);
    expect((await call({ url, params: { version: 'v1' } })).response.status).toBe(400);
    expect((await call({ url })).response.status).toBe(200);
    const plain = 'http://localhost/studies?PatientName=a&x=%253C';
    expect((await call({ url: plain, params: { version: 'v2' } })).response.status).toBe(200);
  });

  it('refuses unknown versions', async () => {
    const { log, response } = await call({ params: { version: 'v3' } });
    expect(response.status).toBe(404);
    expect(log).toEqual([expect.objectContaining({ code: 'invalid-version' })]);
  });

  it('refuses partitions until they are enabled, and then names that are none', async () => {
    const params = { partition: 'north' };
    expect((await call({ params })).response.status).toBe(400);
    const parts = { config: { ...config, partitions: true } };
    expect((await call({ params, parts })).response.status).toBe(200);
    expect((await call({ params: { partition: 'a b' }, parts })).response.status).toBe(400);
  });

  it('refuses a body by its announced length before the handler runs', async () => {
    const parts = { config: { ...config, limits: { ...config.limits, requestBytes: 3 } } };
    const init = { method: 'POST', headers: { 'Content-Length': '4' }, body: 'four' };
    const { response, log } = await call({ parts, init, route: failing(new Error('ran')) });
    expect(response.status).toBe(413);
    expect(log).toEqual([expect.objectContaining({ code: 'payload-too-large' })]);
  });
});

describe('the pipeline: base URL', () => {
  it('is that of the settings when they name one, with version and partition', async () => {
    const parts = {
      config: { ...config, partitions: true, publicUrl: 'https://public.example/dicom' },
    };
    const params = { version: 'v2.0', partition: 'north' };
    let seen = '';
    const handler: Route['handler'] = async ({ baseUrl }) => {
      seen = baseUrl;
      return await Promise.resolve(reply(null, { status: 204 }));
    };
    await call({ parts, params, route: { handler, createsPartition: true } });
    expect(seen).toBe('https://public.example/dicom/v2/partitions/north');
  });
});

describe('the pipeline: headers', () => {
  const origin = { headers: { Origin: 'https://viewer.example' } };

  it('adds those of CORS and of the profile to answers and to errors', async () => {
    for (const route of [{}, failing(new Error('broken'))]) {
      const { response } = await call({ route, init: origin, params: { version: 'v2' } });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      expect(response.headers.get('api-supported-versions')).toBe('1.0-prerelease, 1, 2');
      expect(response.headers.get('vary')).toContain('Origin');
    }
  });

  it('keeps what the handler said of caching and variants', async () => {
    const headers = { Vary: 'Accept-Language', 'X-Frame-Options': 'DENY' };
    const route = { handler: async () => await Promise.resolve(reply('', { headers })) };
    const { response } = await call({ route, params: { version: 'v2' } });
    expect(response.headers.get('vary')).toMatch(/^Accept-Language, .*Origin/);
    expect(response.headers.get('x-frame-options')).toBe('DENY');
  });

  it.each<[origins: readonly string[] | '*', options: string | null, policy: string]>([
    [[], 'SAMEORIGIN', "frame-src 'self';"],
    ['*', null, "frame-src 'self'; frame-ancestors *"],
    [
      ['https://viewer.example'],
      null,
      "frame-src 'self'; frame-ancestors 'self' https://viewer.example",
    ],
    [
      ['loopback'],
      null,
      "frame-src 'self'; frame-ancestors 'self' http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*",
    ],
  ])(
    'lets the pages of allowed origins embed what it answers: %j',
    async (origins, options, policy) => {
      const parts = { config: { ...config, allowedOrigins: origins } };
      const { response } = await call({ parts, params: { version: 'v2' } });
      expect(response.headers.get('x-frame-options')).toBe(options);
      expect(response.headers.get('content-security-policy')).toBe(policy);
      const headers = { 'Content-Type': 'text/html' };
      const handler = async () => await Promise.resolve(reply('', { headers }));
      const page = await call({ parts, route: { handler } });
      const ancestors = /frame-ancestors [^;]*/.exec(
        page.response.headers.get('content-security-policy') ?? '',
      );
      expect(ancestors?.[0]).toBe(
        /frame-ancestors .*/.exec(policy)?.[0] ?? "frame-ancestors 'none'",
      );
    },
  );

  it('grants nothing to an origin that is not allowed', async () => {
    const parts = { config: { ...config, allowedOrigins: ['https://other.example'] } };
    const { response } = await call({ parts, init: origin });
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });

  it('answers a preflight of any route itself', async () => {
    const headers = { ...origin.headers, 'Access-Control-Request-Method': 'POST' };
    const { response } = await call({
      route: failing(new Error('ran')),
      parts: { authenticate: locked },
      init: { method: 'OPTIONS', headers },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-methods')).toContain('DELETE');
  });
});

describe('the pipeline: HEAD', () => {
  it('answers with the headers of GET, and lets go of the body', async () => {
    let released = false;
    async function* source() {
      await Promise.resolve();
      try {
        yield Buffer.from('one');
        yield Buffer.from('two');
      } finally {
        released = true;
      }
    }
    const headers = { 'Content-Type': 'application/dicom', 'Content-Length': '6' };
    const handler: Route['handler'] = async () =>
      await Promise.resolve(reply(source(), { headers }));
    const { response, body, log } = await call({ route: { handler }, init: { method: 'HEAD' } });
    expect(body).toBe('');
    expect(response.headers.get('content-length')).toBe('6');
    expect(response.headers.get('content-type')).toBe('application/dicom');
    await new Promise(setImmediate);
    expect(released).toBe(true);
    expect(log).toEqual([
      expect.objectContaining({ method: 'HEAD', outcome: 'complete', bytesOut: 0 }),
    ]);
  });
});

describe('the pipeline: errors', () => {
  it('turns a ServiceError into its problem, as text for Microsoft clients', async () => {
    const route = failing(new ServiceError('study-not-found', 'No such study.'));
    const standard = await call({ route });
    expect(standard.response.status).toBe(404);
    expect(JSON.parse(standard.body)).toMatchObject({ code: 'study-not-found' });
    expect((await call({ route, params: { version: 'v1' } })).body).toBe('No such study.');
  });

  it('logs what is our fault with its causes, and nothing of what is not', async () => {
    const cause = new Error('the disk is gone');
    const ours = await call({ route: failing(new Error('cannot write', { cause })) });
    expect(ours.response.status).toBe(500);
    expect(ours.body).not.toContain('cannot write');
    const [fault] = ours.log;
    expect(fault).toMatchObject({ event: 'fault', route: 'aRoute' });
    expect(JSON.stringify(fault)).toMatch(/cannot write.*the disk is gone/);
    const theirs = await call({ route: failing(new ServiceError('invalid-uid', 'No UID.')) });
    expect(theirs.log.map(({ event }) => event)).toEqual(['request']);
  });

  it('logs the code of an error of storage, and not its text', async () => {
    const cause = Object.assign(new Error('{"odata.error":"Doe^John is in the way"}'), {
      name: 'RestError',
      statusCode: 409,
      code: 'EntityAlreadyExists',
    });
    const unreadable = new SyntaxError('Unexpected token D, "Doe^John" is not valid JSON');
    for (const [error, told] of [
      [cause, 'RestError 409 EntityAlreadyExists'],
      [unreadable, 'SyntaxError'],
    ] as const) {
      const failure = new Error('catalog answered', { cause: error });
      const { log } = await call({ route: failing(failure) });
      const text = JSON.stringify(log);
      expect(text).toContain(told);
      expect(text).toContain('pipeline.test.ts');
      expect(text).not.toContain('Doe');
    }
  });

  it('takes any failure after the client has gone for its going', async () => {
    const signal = AbortSignal.abort();
    const { log } = await call({ signal, route: failing(new Error('read ECONNRESET')) });
    expect(log).toEqual([
      expect.objectContaining({ code: 'client-aborted', outcome: 'aborted', event: 'request' }),
    ]);
  });
});

describe('the pipeline: access log', () => {
  it('has one entry per request, without its URL', async () => {
    const url = 'http://localhost/studies?PatientName=Doe';
    const { log } = await call({ url, init: { headers: { 'X-Request-Id': 'id-1' } } });
    expect(log).toEqual([
      {
        event: 'request',
        requestId: 'id-1',
        route: 'aRoute',
        method: 'GET',
        profile: 'ps3.18',
        status: 200,
        permission: 'read',
        partition: 'Microsoft.Default',
        outcome: 'complete',
        bytesIn: 0,
        bytesOut: 4,
        storageCalls: 0,
        milliseconds: expect.any(Number),
      },
    ]);
  });

  it('is written when the body has gone out, not before', async () => {
    const log: LogEntry[] = [];
    const pipeline = createPipeline({
      config,
      authenticate: openTo(config),
      services: async () => await Promise.resolve(services),
      log: (entry) => log.push(entry),
    });
    const route: Route = {
      name: 'slow',
      method: 'GET',
      path: 'slow',
      permission: 'read',
      handler: async () => await Promise.resolve(reply(listed(Buffer.from('12345')))),
    };
    const request = new Request('http://localhost/slow');
    const answer = await pipeline(route, request, {}, new AbortController().signal);
    expect(log).toEqual([]);
    await asResponse(answer).body?.cancel();
    expect(log).toEqual([expect.objectContaining({ outcome: 'aborted', bytesOut: 0 })]);
  });
});
