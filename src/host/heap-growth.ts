/**
 * How much may be left lying about before V8 looks through the whole heap of the process. Chunks of bodies lie outside of
 * the heap and count towards its limit: with the default every 25 MiB that passed had everything that is loaded looked
 * through once more, which took a third of the processor time of a retrieve.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * The limit above what was in use after the last time. Chunks die young: before it is reached, a collection
 * of the young generation has freed them. Near the bound of the heap V8 goes by that bound.
 */
const growthPercent = 200;

/** Lets the heap of this process grow so far; for processes that serve. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent}`);
}
