/** Copies one DICOMweb service into this one: `npm run migrate -- --from URL`. */
import { runMigrate } from './migrate/run-migrate.js';

const stop = new AbortController();
process.once('SIGINT', () => {
  stop.abort();
});
void runMigrate(process.argv.slice(2), process.env, process, stop.signal).then((code) => {
  process.exitCode = code;
});
