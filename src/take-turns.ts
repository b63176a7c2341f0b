/** Lets other requests have their turn between the steps of long work. */
import { setImmediate } from 'node:timers/promises';

/** Steps over fewer bytes are over before anyone has waited. */
const unnoticedBytes = 64 * 1024;

/** Waits for the next turn of the event loop, if a step over that many bytes takes long. */
export async function takeTurns(bytes: number): Promise<void> {
  if (bytes > unnoticedBytes) await setImmediate();
}
