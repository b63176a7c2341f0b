import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { withDeadline } from '../../../src/host/jobs/deadline.js';

describe('withDeadline', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const late = { code: 'request-timeout' };

  it('comes to what the work does, and leaves no timer behind', async () => {
    await withDeadline(async () => await Promise.resolve(), 1000, 100);
    const error = new Error('storage is away');
    await expect(withDeadline(async () => await Promise.reject(error), 1000, 100)).rejects.toBe(
      error,
    );
    expect(jest.getTimerCount()).toBe(0);
  });

  it('tells the work that its time is over, and takes what that comes to meanwhile', async () => {
    let end: () => void = () => undefined;
    let told: AbortSignal | undefined;
    const done = withDeadline(
      async (signal) => {
        told = signal;
        await new Promise<void>((resolve) => (end = resolve));
      },
      1000,
      100,
    );
    await jest.advanceTimersByTimeAsync(1050);
    expect(told?.reason).toMatchObject(late);
    // It had committed: it is not late besides.
    end();
    await expect(done).resolves.toBeUndefined();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is late with work that stops when it is told to', async () => {
    const done = withDeadline(
      async (signal) =>
        await new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
      1000,
      100,
    );
    const ended = expect(done).rejects.toMatchObject(late);
    await jest.advanceTimersByTimeAsync(1000);
    await ended;
  });

  it('leaves work alone that does not notice', async () => {
    const done = withDeadline(async () => await new Promise<void>(() => undefined), 1000, 100);
    const ended = expect(done).rejects.toMatchObject(late);
    await jest.advanceTimersByTimeAsync(1100);
    await ended;
  });
});
