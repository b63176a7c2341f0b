/** Puts many files into the archive: `npm run import -- FOLDER`, `npm run import -- import`. */
import { runImport } from './import/run-import.js';

void runImport(process.argv.slice(2), process.env, process).then((code) => {
  process.exitCode = code;
});
