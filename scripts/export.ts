/** Saves everything of a service in a folder: `npm run export -- --to FOLDER`. */
import { runExport } from './export/run-export.js';

const stop = new AbortController();
process.once('SIGINT', () => {
  stop.abort();
});
void runExport(process.argv.slice(2), process.env, process, stop.signal).then((code) => {
  process.exitCode = code;
});
