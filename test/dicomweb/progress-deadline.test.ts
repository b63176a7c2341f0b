import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ProgressDeadline } from '../../src/dicomweb/progress-deadline.js';

const never = new Promise<never>(() => undefined);

describe('ProgressDeadline', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('passes on what comes to its end in time', async () => {
    const deadline = new ProgressDeadline(1000);
    deadline.start();
    expect(await deadline.bound(Promise.resolve('done'))).toBe('done');
    await expect(deadline.bound(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    deadline.clear();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up when nothing has come to its end for too long', async () => {
    const deadline = new ProgressDeadline(1000);
    deadline.start();
    const waiting = expect(deadline.bound(never)).rejects.toMatchObject({
      code: 'storage-unavailable',
      facts: { retryAfterSeconds: 5 },
    });
    await jest.advanceTimersByTimeAsync(1000);
    await waiting;
    // There is none left for what comes later.
    await expect(deadline.bound(never)).rejects.toMatchObject({ code: 'storage-unavailable' });
  });

  it('tells work to stop, and waits a little longer for an outcome', async () => {
    const deadline = new ProgressDeadline(1000, 300);
    deadline.start();
    let answer: (result: string) => void = () => undefined;
    const committing = deadline.outcomeOf(new Promise<string>((resolve) => (answer = resolve)));
    const unknown = expect(deadline.outcomeOf(never)).rejects.toMatchObject({
      code: 'storage-unavailable',
    });
    await jest.advanceTimersByTimeAsync(999);
    expect(deadline.missed.aborted).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(deadline.missed.reason).toMatchObject({ code: 'storage-unavailable' });
    answer('stored');
    expect(await committing).toBe('stored');
    await jest.advanceTimersByTimeAsync(300);
    await unknown;
  });

  it('waits on while some of many come to their ends', async () => {
    const deadline = new ProgressDeadline(1000);
    deadline.start();
    let isOver = false;
    const last = deadline.bound(never).catch(() => (isOver = true));
    for (let step = 0; step < 5; step++) {
      await jest.advanceTimersByTimeAsync(900);
      await deadline.bound(Promise.resolve());
      expect(isOver).toBe(false);
    }
    await jest.advanceTimersByTimeAsync(1000);
    await last;
    expect(isOver).toBe(true);
  });

  it('does not count before it has begun', async () => {
    const deadline = new ProgressDeadline(1000);
    let isOver = false;
    void deadline.bound(never).catch(() => (isOver = true));
    await jest.advanceTimersByTimeAsync(100_000);
    expect(isOver).toBe(false);
  });
});
