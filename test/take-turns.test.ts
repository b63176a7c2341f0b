import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { takeTurns } from '../src/take-turns.js';

describe('takeTurns', () => {
  let now = performance.now();

  beforeEach(() => {
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  /** Keeps the thread busy, by its clock. */
  function work(milliseconds: number): void {
    now += milliseconds;
  }

  it('lets others have their turn in the middle of long work', async () => {
    let turns = 0;
    let done = false;
    const count = () => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    for (let step = 0; step < 20; step++) {
      work(11);
      await takeTurns();
    }
    done = true;
    expect(turns).toBeGreaterThanOrEqual(19);
  });

  it('goes on at once after work that nobody has noticed', async () => {
    await takeTurns();
    work(11);
    await takeTurns();
    let turned = false;
    setImmediate(() => (turned = true));
    await takeTurns();
    expect(turned).toBe(false);
  });
});
