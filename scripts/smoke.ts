/** Tries a deployed service: `npm run smoke -- URL`. */
import { azureCliToken } from './smoke/token.js';
import { runSmoke } from './smoke/run-smoke.js';

void runSmoke(process.argv.slice(2), process.env, process, azureCliToken).then((code) => {
  process.exitCode = code;
});
