import { describe, expect, it } from '@jest/globals';
import { rememberVerified } from '../../src/auth/verified-tokens.js';
import { allGrants } from '../../src/auth/roles.js';

const seconds = 1_000_000;

function tokenUntil(exp: number, id = 'a'): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part({ exp, id })}.signature`;
}

function setUp() {
  let time = seconds * 1000;
  const verified: string[] = [];
  const read = rememberVerified(
    async (token) => {
      verified.push(token);
      if (token.includes('bad')) throw new Error('refused');
      return await Promise.resolve({ grants: allGrants, objectId: token });
    },
    () => time,
  );
  return { read, verified, pass: (more: number) => (time += more * 1000) };
}

describe('rememberVerified', () => {
  it('verifies a token once, and each by itself', async () => {
    const { read, verified } = setUp();
    const [one, other] = [tokenUntil(seconds + 600), tokenUntil(seconds + 600, 'b')];
    for (const token of [one, other, one, other]) {
      expect((await read(token)).objectId).toBe(token);
    }
    expect(verified).toEqual([one, other]);
  });

  it('verifies a token again once it has expired, and after an hour', async () => {
    const { read, verified, pass } = setUp();
    const short = tokenUntil(seconds + 600);
    const long = tokenUntil(seconds + 86_400);
    await read(short);
    await read(long);
    pass(600);
    await read(short);
    await read(long);
    expect(verified).toEqual([short, long, short]);
    pass(3000);
    await read(long);
    expect(verified).toEqual([short, long, short, long]);
  });

  it('remembers no refusal', async () => {
    const { read, verified } = setUp();
    for (let time = 0; time < 2; time += 1) await expect(read('bad')).rejects.toThrow('refused');
    expect(verified).toEqual(['bad', 'bad']);
  });

  it('forgets the token used longest ago when there are very many', async () => {
    const { read, verified } = setUp();
    const tokens = Array.from({ length: 2000 }, (_, n) => tokenUntil(seconds + 600, `t${n}`));
    for (const token of tokens) await read(token);
    await read(tokens[0] ?? '');
    await read(tokenUntil(seconds + 600, 'one more'));
    expect(verified).toHaveLength(2001);
    await read(tokens[0] ?? '');
    expect(verified).toHaveLength(2001);
    await read(tokens[1] ?? '');
    expect(verified).toHaveLength(2002);
  });
});
