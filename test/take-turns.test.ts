import { describe, expect, it } from '@jest/globals';
import { takeTurns } from '../src/take-turns.js';

/** Keeps the thread busy. */
function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

describe('takeTurns', () => {
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
