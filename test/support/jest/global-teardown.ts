/** After the tests: stops the Azurite of the run. Imports without extension, as in global-setup. */
import { runState } from '../storage/azurite';

const teardown = async (): Promise<void> => {
  await runState.azurite?.stop();
};

module.exports = teardown;
