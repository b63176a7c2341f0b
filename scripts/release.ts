/** Whether a version can be released: `npm run release:check -- [--tag vX.Y.Z] [--notes FILE]`. */
import { runReleaseCheck } from './release/check-release.js';
import { repositoryRoot } from './support/repository-root.js';

process.exitCode = runReleaseCheck(process.argv.slice(2), repositoryRoot(__dirname), process);
