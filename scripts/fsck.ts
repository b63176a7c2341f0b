/** Checks a whole store: `npm run fsck [-- --repair] [--orphan-age 24h]`. */
import { openStore } from './fsck/open-store.js';
import { runFsck } from './fsck/run-fsck.js';

void runFsck(process.argv.slice(2), openStore, process).then((code) => {
  process.exitCode = code;
});
