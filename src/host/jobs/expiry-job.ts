/** The expiry job: what both hosts run at the intervals of the inspection of jobs. */
import { expireStudies } from '../../dicomweb/delete/expire-studies.js';
import type { Services } from '../../dicomweb/services.js';
import { timeBudgets } from '../../time-budgets.js';
import { describeError, type Log } from '../pipeline/log.js';

/** Deletes the studies that have expired and says how many; a failure is logged and left to the next run. */
export async function runExpiry(
  services: () => Promise<Pick<Services, 'archive' | 'expiry'>>,
  log: Log,
): Promise<void> {
  try {
    const deleted = await expireStudies(await services(), Date.now() + timeBudgets.expiryRun);
    if (deleted === 0) return;
    log({ event: 'notice', message: `Expiry deleted ${deleted} studies.` });
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'expiry', error: describeError(error) });
  }
}
