/** Lets other requests have their turn between the steps of long work. */
import { setImmediate } from 'node:timers/promises';

/** A step that is shorter goes unnoticed. */
const longestTurnMilliseconds = 10;

/** When somebody last waited for a turn: there is one event loop for all that a thread does. */
let since = 0;

/** Whether others have waited long enough for their turn; asked before each small step of many. */
export function turnIsDue(): boolean {
  return performance.now() - since >= longestTurnMilliseconds;
}

/** Waits for the next turn of the event loop, unless there was one a moment ago. */
export async function takeTurns(): Promise<void> {
  if (!turnIsDue()) return;
  await setImmediate();
  since = performance.now();
}

/** The pieces of a long text in one, with turns for others between them. */
export async function joinedInTurns(pieces: Iterable<string>): Promise<string> {
  let text = '';
  for (const piece of pieces) {
    if (turnIsDue()) await takeTurns();
    text += piece;
  }
  return text;
}
