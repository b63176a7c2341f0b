/** The Azurite that all tests of a run share, and names of their own for those who use it. */
import { randomBytes } from 'node:crypto';
import type { Azurite } from '../../../src/host/local/azurite.js';

declare global {
  var azuriteOfTheRun: Azurite | undefined;
}

/** Shared by global setup and teardown, which run in one process but load modules separately. */
export const runState: { azurite: Azurite | undefined } = {
  get azurite() {
    return globalThis.azuriteOfTheRun;
  },
  set azurite(azurite) {
    globalThis.azuriteOfTheRun = azurite;
  },
};

/** The connection string of the Azurite of this run. */
export function testConnectionString(): string {
  const connectionString = process.env['TEST_STORAGE_CONNECTION_STRING'];
  if (connectionString === undefined) throw new Error('No Azurite: global setup has not run');
  return connectionString;
}

/** A prefix for tables and containers that no other test has: `t` and ten letters or digits. */
export function testPrefix(): string {
  return `t${randomBytes(5).toString('hex')}`;
}
