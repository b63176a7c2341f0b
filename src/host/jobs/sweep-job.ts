/** The sweep jobs: of uploads and links on both hosts, of the store on that of Functions (docs/architecture.md, "The check of the whole store"). */
import type { Services } from '../../dicomweb/services.js';
import { sweepUploads } from '../../dicomweb/uploads/sweep-uploads.js';
import { sweepShares } from '../../dicomweb/shares/shares.js';
import type { sweep as Sweep } from '../../storage/archive/store-check/sweep.js';
import { timeBudgets } from '../../time-budgets.js';
import { describeError, type Log } from '../pipeline/log.js';

/** Every hour, as the timer of Azure Functions spells it: a round takes as many runs as it needs. */
export const sweepSchedule = '0 17 * * * *';

/** A round a week; a run ends well before the host would end it (`functionTimeout`). */
const pace = { roundEvery: timeBudgets.sweepRound, atMost: timeBudgets.sweep } as const;

type Swept = Pick<Services, 'archive' | 'shares' | 'partitionRegistry'>;
type SweptWhole = Swept & Pick<Services, 'maintenance'>;

async function forgetWhatIsOver(services: Swept): Promise<void> {
  await sweepUploads(services);
  await sweepShares(services);
}

/** Forgets direct uploads that are long over, and links that have expired; a failure is logged and left to the next run. */
export async function runUploadSweep(services: () => Promise<Swept>, log: Log): Promise<void> {
  try {
    await forgetWhatIsOver(await services());
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'sweep', error: describeError(error) });
  }
}

/** Forgets uploads, runs a piece of the sweep, notes and says what it removed; a failure is logged and left to the next run. */
export async function runSweep(
  services: () => Promise<SweptWhole>,
  log: Log,
  options: Parameters<typeof Sweep>[1] = pace,
): Promise<void> {
  try {
    const made = await services();
    await forgetWhatIsOver(made);
    // Loaded with the first run: what answers requests never checks the store.
    const { sweep } = await import('../../storage/archive/store-check/sweep.js');
    const report = await sweep(made.archive, options);
    if (report === undefined) return;
    const { blobs, indexRows, isRoundOver } = report;
    if (blobs + indexRows > 0) {
      const message = `The sweep removed ${blobs} blobs and ${indexRows} index rows that nobody needs.`;
      log({ event: 'notice', message });
    }
    if (isRoundOver)
      log({ event: 'notice', message: 'The sweep has been through the whole store.' });
    await made.maintenance.note('sweep', [
      { kind: 'blob-orphaned', found: blobs, mended: blobs },
      { kind: 'index-row-dangling', found: indexRows, mended: indexRows },
    ]);
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'sweep', error: describeError(error) });
  }
}
