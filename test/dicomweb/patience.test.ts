import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Patience } from '../../src/dicomweb/patience.js';

const never = new Promise<never>(() => undefined);

describe('Patience', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('passes on what comes to its end in time', async () => {
    const patience = new Patience(1000);
    patience.begin();
    expect(await patience.with(Promise.resolve('done'))).toBe('done');
    await expect(patience.with(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    patience.end();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up when nothing has come to its end for too long', async () => {
    const patience = new Patience(1000);
    patience.begin();
    const waiting = expect(patience.with(never)).rejects.toMatchObject({
      code: 'storage-unavailable',
      facts: { retryAfterSeconds: 5 },
    });
    await jest.advanceTimersByTimeAsync(1000);
    await waiting;
    // There is none left for what comes later.
    await expect(patience.with(never)).rejects.toMatchObject({ code: 'storage-unavailable' });
  });

  it('waits on while some of many come to their ends', async () => {
    const patience = new Patience(1000);
    patience.begin();
    let isOver = false;
    const last = patience.with(never).catch(() => (isOver = true));
    for (let step = 0; step < 5; step++) {
      await jest.advanceTimersByTimeAsync(900);
      await patience.with(Promise.resolve());
      expect(isOver).toBe(false);
    }
    await jest.advanceTimersByTimeAsync(1000);
    await last;
    expect(isOver).toBe(true);
  });

  it('does not count before it has begun', async () => {
    const patience = new Patience(1000);
    let isOver = false;
    void patience.with(never).catch(() => (isOver = true));
    await jest.advanceTimersByTimeAsync(100_000);
    expect(isOver).toBe(false);
  });
});
