/**
 * Puts three sample instances into the running service: `npm run sample [-- --url URL] [--out DIR]`.
 */
import { runSample } from './sample/run-sample.js';

void runSample(process.argv.slice(2), process.env, process).then((code) => {
  process.exitCode = code;
});
