/** Tokens as callers bring them, over HTTP, on both hosts: every case of the table, and the page that tells of it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearerToken, tokenReader } from '../../src/auth/access-token.js';
import { signingKeysOf } from '../../src/auth/signing-keys.js';
import type { Authenticator } from '../../src/host/pipeline/authenticator.js';
import { tableRows } from '../docs/markdown.js';
import { startEntra, type Entra } from '../support/entra.js';
import { hosts, startService, type Service } from '../support/service.js';
import { tokenCases, type TokenCase } from './token-cases.js';

let entra: Entra;

beforeAll(async () => {
  entra = await startEntra();
});

afterAll(async () => {
  await entra.stop();
});

/** Status, error and scope of an answer, as the table has them. */
function seen(response: Response): string {
  const challenge = response.headers.get('www-authenticate') ?? '';
  const parts = ['error', 'scope'].map((name) =>
    new RegExp(`\\b${name}="([^"]*)"`).exec(challenge)?.at(1),
  );
  return [String(response.status), ...parts.filter((part) => part !== undefined)].join(' ');
}

const preflight = { Origin: 'https://viewer.example', 'Access-Control-Request-Method': 'POST' };

async function send(
  service: Service,
  ask: NonNullable<TokenCase['ask']>,
  authorization: string | undefined,
): Promise<Response> {
  const [method = '', path = ''] = ask.split(' ');
  const hasBody = method === 'POST' || method === 'PUT';
  const response = await fetch(service.baseUrl + path, {
    method,
    headers: {
      ...(authorization !== undefined && { Authorization: authorization }),
      ...(method === 'OPTIONS' && preflight),
      ...(hasBody && { 'Content-Type': 'multipart/related; type="application/dicom"; boundary=b' }),
    },
    ...(hasBody && { body: '--b--\r\n' }),
  });
  await response.arrayBuffer();
  return response;
}

describe.each(hosts)('the %s host', (host) => {
  let service: Service;
  let authenticate: Authenticator;

  beforeAll(async () => {
    service = await startService({
      host,
      config: { partitions: true },
      access: async (request) => await authenticate(request),
    });
  });

  afterAll(async () => {
    await service.stop();
  });

  async function play({ ask = 'GET /studies', authorization }: TokenCase): Promise<Response> {
    const tenant = await entra.newTenant();
    let waited = 0;
    const now = () => Date.now() + waited;
    const read = tokenReader(tenant.rules, signingKeysOf(tenant.issuer, { now }));
    authenticate = async ({ headers }) => await read(bearerToken(headers.get('authorization')));
    const value = await authorization({
      tenant,
      wait: (seconds) => {
        waited += seconds * 1000;
      },
      warmUp: async () => {
        const warm = await send(service, 'GET /studies', `Bearer ${await tenant.token()}`);
        expect(warm.status).toBe(200);
      },
    });
    return await send(service, ask, value);
  }

  it.each(tokenCases.map((row) => [row.name, row.expected, row] as const))(
    '%s: %s',
    async (_, expected, row) => {
      expect(seen(await play(row))).toBe(expected);
    },
  );

  it('has a row of docs/security.md for each case, with what was seen', async () => {
    const rows: (readonly string[])[] = [];
    for (const row of tokenCases) {
      const { name, ask = 'GET /studies', expected } = row;
      rows.push([name, ask, expected, seen(await play(row))]);
    }
    const columns = ['Case', 'Request', 'Expected', 'Seen'];
    expect(tableRows('docs/security.md', columns)).toEqual(rows);
  });
});
