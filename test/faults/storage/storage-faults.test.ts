/** A few seconds of storage that misbehaves; `npm run test:faults` takes longer. */
import { describe, expect, it } from '@jest/globals';
import { testConnectionString, testPrefix } from '../../support/storage/azurite.js';
import { violationsOf } from '../kill/tables.js';
import { runStorageFaults } from '../run-storage-faults.js';

describe('a service whose storage misbehaves', () => {
  it('answers 503 when it must, loses nothing and shows nothing that it refused', async () => {
    const { report, met } = await runStorageFaults({
      connectionString: testConnectionString(),
      prefix: testPrefix(),
      seconds: 4,
      clients: 5,
      share: 0.06,
      seed: 5,
      busySeconds: 1,
      lateSeconds: 2,
    });
    expect(violationsOf(report)).toEqual([]);
    expect([...met.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(report.answers.busy).toBeGreaterThan(0);
  }, 180_000);
});
