/** Counts how often others have had their turn while work goes on that looks at the clock. */
import { jest } from '@jest/globals';

/** Only ever grows, as a clock does: who waits for turns remembers the last one. */
let now = performance.now();

/**
 * Does the work by a clock on which each look takes a millisecond, so that its steps are long enough.
 *
 * @returns how many turns the event loop made meanwhile.
 */
export async function countedTurns(work: () => Promise<void>): Promise<number> {
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => (now += 1));
  let [turns, done] = [0, false];
  const count = () => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  try {
    await work();
  } finally {
    done = true;
    clock.mockRestore();
  }
  return turns;
}
