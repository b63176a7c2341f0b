import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { tokenReader } from '../../src/auth/access-token.js';
import { isTrustworthy, signingKeysOf } from '../../src/auth/signing-keys.js';
import { startEntra, type Entra, type Tenant } from '../support/entra.js';

let entra: Entra;
let tenant: Tenant;
let now: number;
let read: ReturnType<typeof tokenReader>;

beforeAll(async () => {
  entra = await startEntra();
});

afterAll(async () => {
  await entra.stop();
});

beforeEach(async () => {
  tenant = await entra.newTenant();
  now = 0;
  read = tokenReader(tenant.rules, signingKeysOf(tenant.issuer, { now: () => now }));
});

/** A token of a key that the issuer does not have. */
async function strange(): Promise<string> {
  return await tenant.token({ forged: true, header: { kid: randomUUID() } });
}

const unavailable = { code: 'keys-unavailable' };
const invalid = { code: 'unauthenticated', facts: { error: 'invalid_token' } };

/** Waits for what goes on behind a request; the time limit of the test bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

describe('signingKeysOf', () => {
  it('fetches once for all who wait, and then not for an hour', async () => {
    const token = await tenant.token();
    await Promise.all([read(token), read(token), read(token)]);
    now += 3600_000;
    await read(token);
    expect(tenant.keyRequests).toBe(1);
  });

  it('fetches anew after an hour, behind the request', async () => {
    const token = await tenant.token();
    await read(token);
    now += 3600_001;
    await read(token);
    await until(() => tenant.keyRequests === 2);
  });

  it('fetches for unknown key ids once in half a minute, however many there are', async () => {
    await read(await tenant.token());
    for (let turn = 0; turn < 5; turn += 1)
      await expect(read(await strange())).rejects.toMatchObject(invalid);
    expect(tenant.keyRequests).toBe(1);
    now += 30_000;
    for (let turn = 0; turn < 5; turn += 1)
      await expect(read(await strange())).rejects.toMatchObject(invalid);
    expect(tenant.keyRequests).toBe(2);
  });

  it('takes a key made since then', async () => {
    await read(await tenant.token());
    tenant.rotate();
    now += 30_000;
    expect(await read(await tenant.token())).toMatchObject({ appId: expect.any(String) });
  });

  it('does not ask again at once after a failure, but soon', async () => {
    tenant.condition = 'without-keys';
    const token = await tenant.token();
    await expect(read(token)).rejects.toMatchObject(unavailable);
    await expect(read(token)).rejects.toMatchObject(unavailable);
    expect(tenant.keyRequests).toBe(1);
    tenant.condition = 'well';
    now += 2_000;
    await read(token);
    expect(tenant.keyRequests).toBe(2);
  });

  it('cannot tell of an unknown key id while the issuer is away', async () => {
    await read(await tenant.token());
    tenant.condition = 'away';
    now += 30_000;
    await expect(read(await strange())).rejects.toMatchObject(unavailable);
    await expect(read(await strange())).rejects.toMatchObject(unavailable);
    await read(await tenant.token());
  });
});

describe('signingKeysOf, of what an issuer publishes', () => {
  it.each<[what: string, key: unknown]>([
    ['no object', 'key'],
    ['nothing', null],
    ['a key of another type', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'a' }],
    ['a key for encryption', { kty: 'RSA', n: 'AQAB', e: 'AQAB', use: 'enc', kid: 'b' }],
    ['a key without its numbers', { kty: 'RSA', kid: 'c' }],
    ['a key with numbers that are none', { kty: 'RSA', n: {}, e: 3, kid: 'd' }],
  ])('passes over %s and takes the others', async (_what, key) => {
    tenant.strangeKeys = [key];
    expect(await read(await tenant.token())).toMatchObject({ appId: expect.any(String) });
  });

  it('does not take a key of fewer than 2048 bits for one', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const { n, e } = publicKey.export({ format: 'jwk' });
    tenant.strangeKeys = [{ kty: 'RSA', kid: 'short', use: 'sig', n, e }];
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const head = `${encode({ alg: 'RS256', kid: 'short' })}.${encode(tenant.claims())}`;
    const signature = sign('sha256', Buffer.from(head), privateKey).toString('base64url');
    await expect(read(`${head}.${signature}`)).rejects.toMatchObject(invalid);
    await read(await tenant.token());
  });

  it('reads no more than a mebibyte of it', async () => {
    tenant.condition = 'flooding';
    await expect(read(await tenant.token())).rejects.toMatchObject(unavailable);
  });
});

describe('isTrustworthy', () => {
  it.each([
    ['https://login.microsoftonline.com/x/v2.0', true],
    ['http://127.0.0.1:8080/x', true],
    ['http://localhost/x', true],
    ['http://[::1]:1/x', true],
    ['http://login.microsoftonline.com/x', false],
    ['http://127.0.0.1.example.org/x', false],
    ['http://localhost.example.org/x', false],
    ['http://10.0.0.1/x', false],
    ['file:///etc/keys', false],
    ['keys', false],
  ])('%s: %p', (url, trustworthy) => {
    expect(isTrustworthy(url)).toBe(trustworthy);
  });
});
