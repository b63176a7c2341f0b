/**
 * Proves transcoding with real files and decoders of others, through a running service:
 * `npm run transcoding -- --url http://localhost:7071 [--corpus DIR] [--write docs/transcoding.md]`.
 */
import { runTranscoding } from './transcoding/run-transcoding.js';
import { repositoryRoot } from './support/repository-root.js';

void runTranscoding(process.argv.slice(2), process.env, process, repositoryRoot(__dirname)).then(
  (code) => {
    process.exitCode = code;
  },
);
