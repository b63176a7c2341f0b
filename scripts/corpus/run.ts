/**
 * Puts a folder of real DICOM files through a running service, and fails when anything is amiss:
 * `node dist/scripts/corpus/run.js --url http://localhost:7071 [--corpus DIR]`.
 */
import { runCorpus } from './run-corpus.js';
import { repositoryRoot } from '../support/repository-root.js';

void runCorpus(process.argv.slice(2), process.env, process, repositoryRoot(__dirname)).then(
  (code) => {
    process.exitCode = code;
  },
);
