/** Long work on both hosts: what a message of the queue of jobs sets off, and what a timer does. */
import type { Services } from '../../dicomweb/services.js';
import { parseJobId } from '../../jobs/job.js';
import { timeBudgets } from '../../time-budgets.js';
import { describeError, type Log } from '../pipeline/log.js';

/** The storage queue; poison messages gather in `{name}-poison`, as the Functions host has it. */
export const jobQueueName = 'jobs';

/** Every five minutes, as the timer of Azure Functions spells it. */
export const attendanceSchedule = '30 */5 * * * *';

type MadeServices = () => Promise<Pick<Services, 'jobs'>>;

/** A message of the queue: the host makes an object of JSON. */
function idIn(message: unknown) {
  const { job } =
    typeof message === 'object' && message !== null && 'job' in message
      ? message
      : { job: message };
  return typeof job === 'string' ? parseJobId(job) : undefined;
}

/** Goes on with the job that a message names; a failure is logged, and the job announced again. */
export async function runJob(
  services: MadeServices,
  log: Log,
  message: unknown,
  milliseconds: number = timeBudgets.jobRun,
): Promise<void> {
  try {
    const id = idIn(message);
    if (id === undefined) {
      log({ event: 'notice', message: 'Jobs: passed over a message that names none.' });
      return;
    }
    const { jobs } = await services();
    const run = await jobs.run(id, Date.now() + milliseconds);
    if (run === 'over') log({ event: 'notice', message: `Jobs: ${id} is over.` });
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'jobs', error: describeError(error) });
  }
}

/**
 * Announces again what was left lying, and says for how long the job that has stood still longest has: the
 * alert on jobs reads that line.
 */
export async function attendJobs(
  services: MadeServices,
  log: Log,
  options: { readonly alone?: boolean } = {},
): Promise<void> {
  try {
    const { jobs } = await services();
    const { announced, standingStillSeconds } = await jobs.attend(options);
    if (standingStillSeconds === 0) return;
    const message = `Jobs stand still for ${standingStillSeconds} seconds; ${announced} were announced again.`;
    log({ event: 'notice', message });
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'jobs', error: describeError(error) });
  }
}
