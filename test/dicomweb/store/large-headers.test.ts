import { describe, expect, it } from '@jest/globals';
import { LargeHeaders } from '../../../src/dicomweb/store/large-headers.js';

const large = 1024 ** 2;
const never = new Promise<never>(() => undefined);

describe('LargeHeaders', () => {
  it('works on one large header after another, in the order they came', async () => {
    const headers = new LargeHeaders();
    const seen: string[] = [];
    const work = (name: string) => async () => {
      seen.push(`${name} begins`);
      await new Promise(setImmediate);
      seen.push(`${name} ends`);
      return name;
    };
    const answers = ['a', 'b', 'c'].map(async (name) => await headers.work(large, work(name)));
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
    expect(seen).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it('lets small ones pass by', async () => {
    const headers = new LargeHeaders();
    void headers.work(large, async () => await never);
    expect(await headers.work(1000, async () => await Promise.resolve('small'))).toBe('small');
  });

  it('goes on after work that failed', async () => {
    const headers = new LargeHeaders();
    const failing = headers.work(large, async () => await Promise.reject(new Error('damaged')));
    const next = headers.work(large, async () => await Promise.resolve('next'));
    await expect(failing).rejects.toThrow('damaged');
    expect(await next).toBe('next');
  });

  it('refuses what has waited too long', async () => {
    const headers = new LargeHeaders(-1);
    await expect(headers.work(large, async () => await never)).rejects.toMatchObject({
      code: 'overloaded',
      facts: { retryAfterSeconds: 5 },
    });
  });
});
