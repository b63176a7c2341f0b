/**
 * Builds what is deployed: `npm run package [-- --out FOLDER]`. Leaves the folder `app`, a zip of it,
 * and says how large they are and how long the app takes to load.
 */
import { runPackage } from './package/run-package.js';

void runPackage(process.argv.slice(2), process).then((code) => {
  process.exitCode = code;
});
