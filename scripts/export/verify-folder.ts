/** Compares the files of a folder with the sums that were taken when they were saved. */
import path from 'node:path';
import { inParallel } from '../import/in-parallel.js';
import type { Result } from '../import/tally.js';
import { checksumOf, type Checksums } from './checksums.js';

/** Reads every file that has a sum. */
export async function verifyFolder(
  folder: string,
  { sums }: Checksums,
  parallel: number,
  tell: (result: Result) => Promise<void>,
): Promise<void> {
  await inParallel(sums, parallel, async ([file, sum]) => {
    let why: string | undefined;
    try {
      if ((await checksumOf(path.join(folder, file))) !== sum) why = 'it has changed';
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    await tell({ file, ...(why === undefined ? { outcome: 'same' } : { outcome: 'failed', why }) });
  });
}
