/** The recovery job: what both hosts run at their intervals (docs/architecture.md, "Writing"). */
import type { Services } from '../../dicomweb/services.js';
import { describeError, type Log } from '../pipeline/log.js';

/** Every five minutes, as the timer of Azure Functions spells it. */
export const recoverySchedule = '0 */5 * * * *';
export const recoveryIntervalMilliseconds = 5 * 60_000;

/** Runs recovery once and says what it did; a failure is logged and left to the next run. */
export async function runRecovery(services: () => Promise<Services>, log: Log): Promise<void> {
  try {
    const { finished, undone } = await (await services()).archive.recover();
    if (finished + undone === 0) return;
    log({ event: 'notice', message: `Recovery finished ${finished} and undid ${undone} changes.` });
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'recovery', error: describeError(error) });
  }
}
