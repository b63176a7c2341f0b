/**
 * Puts a folder of real DICOM files through a running service, and fails when anything is amiss:
 * `node dist/scripts/corpus/run.js --url http://localhost:7071 [--corpus DIR]`.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCorpus } from './run-corpus.js';

/** The repository, whether this file runs from its source folder or from the build output. */
function repositoryRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : repositoryRoot(dirname(folder));
}

void runCorpus(process.argv.slice(2), process.env, process, repositoryRoot(__dirname)).then(
  (code) => {
    process.exitCode = code;
  },
);
