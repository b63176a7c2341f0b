/**
 * What the archive needs of the process that it runs in, besides storage: waiting and chance. Tests put
 * a virtual clock and a seed in its place. What time it is, the clock of storage says (`TableStore.now`).
 */
import { randomFillSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Runtime {
  /** Resolves after so many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** As `sleep`, but a process that has nothing else to do may end meanwhile. */
  readonly rest: (milliseconds: number) => Promise<void>;
  /** A number in [0, 1), unforeseeable and different in every process. */
  readonly random: () => number;
}

const pool = new Uint32Array(1024);
let used = pool.length;

export const systemRuntime: Runtime = {
  sleep: async (milliseconds) => {
    await sleep(milliseconds);
  },
  rest: async (milliseconds) => {
    await sleep(milliseconds, undefined, { ref: false });
  },
  random: () => {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    return (pool[used++] ?? 0) / 0x1_0000_0000;
  },
};
