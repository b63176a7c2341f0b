/** Imports files of this machine: sends them to a running service, and can go on where it stopped. */
import { startProgress } from '../support/progress.js';
import type { ProgressOutput } from '../support/progress.js';
import { batchesOf } from './batches.js';
import { inParallel } from './in-parallel.js';
import { openJournal, type Journal } from './journal.js';
import { look, type LocalFile } from './local-files.js';
import { storeBatch, type Target } from './store-batch.js';
import type { Tally } from './tally.js';
import { type Result } from './tally.js';

export interface ImportFilesOptions {
  readonly target: Target;
  readonly journal: string;
  /** Requests at the same time. */
  readonly parallel: number;
}

/**
 * Sends files to the service and says what became of them.
 *
 * @throws ServiceUnreachable, StoreDenied: what was stored until then is in the journal and the tally.
 */
export async function importFiles(
  files: readonly string[],
  { target, journal: journalPath, parallel }: ImportFilesOptions,
  tally: Tally,
  output: ProgressOutput,
): Promise<void> {
  const journal = await openJournal(journalPath, target.url);
  const progress = startProgress(output, 'import', files.length);
  const tell = (result: Result) => {
    tally.add(result);
    progress.step(result.file);
  };
  try {
    await inParallel(batchesOf(filesToSend(files, journal, tell)), parallel, async (batch) => {
      const results = await storeBatch(target, batch);
      const there = new Set(
        results.filter(({ outcome }) => outcome !== 'refused').map(({ file }) => file),
      );
      await journal.add(batch.filter(({ path }) => there.has(path)));
      for (const result of results) tell(result);
    });
  } finally {
    progress.finish();
    await journal.close();
  }
}

async function* filesToSend(
  paths: readonly string[],
  journal: Journal,
  tell: (result: Result) => void,
): AsyncGenerator<LocalFile, void, undefined> {
  for (const path of paths) {
    try {
      const file = await look(path);
      if (file === undefined) tell({ file: path, outcome: 'other' });
      else if (file.isDirectory) tell({ file: path, outcome: 'directory' });
      else if (journal.has(file)) tell({ file: path, outcome: 'before' });
      else yield file;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      tell({ file: path, outcome: 'failed', why });
    }
  }
}
