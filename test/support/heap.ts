/** How much heap is in use once all garbage has been collected. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of heap that are in use after a collection, when what waits for the next turn has run. */
export async function heapAfterCollection(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    // Finalizers and listeners that a collection calls may let go of more.
    await nextTurn();
    collect();
  }
  return process.memoryUsage().heapUsed;
}
