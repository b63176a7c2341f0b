/** Waiting between attempts when another process was faster, so that the two part ways. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../../errors.js';

const mostAttempts = 30;
const longestMilliseconds = 400;

/**
 * Waits a random time that grows with the attempts (full jitter).
 *
 * @throws ServiceError `overloaded` after too many attempts.
 */
export async function backOff(attempt: number, what: string): Promise<void> {
  if (attempt >= mostAttempts) {
    throw new ServiceError('overloaded', `Too many writers compete for ${what}. Try again.`, {
      retryAfterSeconds: 2,
    });
  }
  const ceiling = Math.min(longestMilliseconds, 10 * 2 ** attempt);
  await sleep(Math.random() * ceiling);
}
