import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { rsaKeysAmong } from '../../src/auth/rsa-keys.js';

const jwkOf = (modulusLength: number) => ({
  ...generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }),
  kid: String(modulusLength),
});
const good = jwkOf(2048);

describe('rsaKeysAmong', () => {
  it('takes keys of 2048 bits and more', () => {
    const longer = jwkOf(3072);
    expect(rsaKeysAmong([good, longer])).toEqual([good, longer]);
  });

  it('counts bits, not characters: zeros in front make no key longer', () => {
    const short = jwkOf(1024);
    const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(String(short.n), 'base64url')]);
    expect(rsaKeysAmong([short, { ...short, n: padded.toString('base64url') }])).toEqual([]);
    expect(rsaKeysAmong([jwkOf(2040)])).toEqual([]);
  });

  it.each([
    { ...good, use: 'enc' },
    { ...good, alg: 'RSA-OAEP' },
    { ...good, kty: 'oct' },
    { ...good, e: 'AQ' },
    { ...good, e: '' },
    { ...good, n: '!' },
    undefined,
    [],
  ])('passes over %j', (key) => {
    expect(rsaKeysAmong([key, good])).toEqual([good]);
  });
});
