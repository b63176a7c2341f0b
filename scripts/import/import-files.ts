/** Imports files of this machine: sends them to a running service, and can go on where it stopped. */
import { startProgress } from '../support/progress.js';
import type { ProgressOutput } from '../support/progress.js';
import { batchesOf } from './batches.js';
import { inParallel } from './in-parallel.js';
import { openJournal, type Journal } from './journal.js';
import { look, type LocalFile } from './local-files.js';
import { openReport } from './report.js';
import { settleBatch } from './settle-batch.js';
import type { Target } from './store-batch.js';
import { isMissing, type Result, type Tally } from './tally.js';

export interface ImportFilesOptions {
  readonly target: Target;
  readonly journal: string;
  /** Where every file is named that is not in the archive. */
  readonly report?: string;
  /** Whether files take the place of others with their UIDs. */
  readonly replace: boolean;
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
  options: ImportFilesOptions,
  tally: Tally,
  output: ProgressOutput,
): Promise<void> {
  const { target, parallel, replace } = options;
  const journal = await openJournal(options.journal, target.url);
  const report = options.report === undefined ? undefined : await openReport(options.report);
  const progress = startProgress(output, 'import', files.length);
  const tell = async (results: readonly Result[]) => {
    await report?.add(results);
    for (const result of results) {
      tally.add(result);
      progress.step(result.file);
    }
  };
  try {
    await inParallel(batchesOf(filesToSend(files, journal, tell)), parallel, async (batch) => {
      const results = await settleBatch(target, batch, replace);
      const there = new Set(
        results.filter(({ outcome }) => !isMissing(outcome)).map(({ file }) => file),
      );
      await journal.add(batch.filter(({ path }) => there.has(path)));
      await tell(results);
    });
  } finally {
    progress.finish();
    await journal.close();
    await report?.close();
  }
}

async function* filesToSend(
  paths: readonly string[],
  journal: Journal,
  tell: (results: readonly Result[]) => Promise<void>,
): AsyncGenerator<LocalFile, void, undefined> {
  for (const path of paths) {
    try {
      const file = await look(path);
      if (file === undefined) await tell([{ file: path, outcome: 'other' }]);
      else if (file.isDirectory) await tell([{ file: path, outcome: 'directory' }]);
      else if (journal.has(file)) await tell([{ file: path, outcome: 'before' }]);
      else yield file;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await tell([{ file: path, outcome: 'failed', why }]);
    }
  }
}
