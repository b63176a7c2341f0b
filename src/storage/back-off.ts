/** Waiting between attempts when another process was faster, so that the two part ways. */
import type { Runtime } from './runtime.js';

const firstMilliseconds = 10;
const longestMilliseconds = 1000;
/** After so many losses a writer has waited its share, and pushes on. */
const patientAttempts = 8;
const impatientMilliseconds = 80;

/**
 * Waits a random time that grows with the attempts (full jitter), and is short again for who has lost
 * many times: among many writers the one that has waited longest gets through.
 */
export async function backOff({ sleep, random }: Runtime, attempt: number): Promise<void> {
  const ceiling =
    attempt < patientAttempts
      ? Math.min(longestMilliseconds, firstMilliseconds * 2 ** attempt)
      : impatientMilliseconds;
  await sleep(random() * ceiling);
}
