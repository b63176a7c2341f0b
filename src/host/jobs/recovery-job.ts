/** The recovery job: what both hosts run at their intervals (docs/architecture.md, "Writing"). */
import type { Services } from '../../dicomweb/services.js';
import { describeError, type Log } from '../pipeline/log.js';

/** Every five minutes, as the timer of Azure Functions spells it. */
export const recoverySchedule = '0 */5 * * * *';

/** Runs recovery once, notes and says what it did; a failure is logged and left to the next run. */
export async function runRecovery(
  services: () => Promise<Pick<Services, 'archive' | 'maintenance'>>,
  log: Log,
): Promise<void> {
  try {
    const { archive, maintenance } = await services();
    const { finished, undone } = await archive.recover();
    if (finished + undone > 0) {
      const message = `Recovery finished ${finished} and undid ${undone} changes.`;
      log({ event: 'notice', message });
    }
    await maintenance.note('recovery', [
      { kind: 'change-finished', found: finished, mended: finished },
      { kind: 'change-undone', found: undone, mended: undone },
    ]);
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'recovery', error: describeError(error) });
  }
}
