/**
 * Proves transcoding with real files and decoders of others, through a running service:
 * `npm run transcoding -- --url http://localhost:7071 [--corpus DIR] [--write docs/transcoding.md]`.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runTranscoding } from './transcoding/run-transcoding.js';

/** The repository, whether this file runs from its source folder or from the build output. */
function repositoryRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : repositoryRoot(dirname(folder));
}

void runTranscoding(process.argv.slice(2), process.env, process, repositoryRoot(__dirname)).then(
  (code) => {
    process.exitCode = code;
  },
);
