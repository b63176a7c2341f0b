/** Tries a deployed service: `npm run smoke -- URL`. */
import { azureCliGraph } from './smoke/lend-roles.js';
import { azureCliToken } from './smoke/token.js';
import { runSmoke } from './smoke/run-smoke.js';

void runSmoke(process.argv.slice(2), process.env, process, azureCliToken, azureCliGraph).then(
  (code) => {
    process.exitCode = code;
  },
);
