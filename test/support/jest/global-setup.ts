/**
 * Before the tests: one Azurite for the whole run, told to them by an environment variable. jest does not
 * map names of modules here, hence imports without extension.
 */
import { startAzurite } from '../../../src/host/local/azurite';
import { runState } from '../storage/azurite';

const setup = async (): Promise<void> => {
  const azurite = await startAzurite();
  runState.azurite = azurite;
  process.env['TEST_STORAGE_CONNECTION_STRING'] = azurite.connectionString;
};

module.exports = setup;
