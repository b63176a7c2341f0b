/** A few processes and one study; `npm run one-study` takes eight, and two thousand instances. */
import { describe, expect, it } from '@jest/globals';
import { testConnectionString, testPrefix } from '../../support/storage/azurite.js';
import { runOneStudy } from '../run-one-study.js';

describe('one study that several processes store at once', () => {
  it('gets every instance, and counts them', async () => {
    const report = await runOneStudy({
      connectionString: testConnectionString(),
      prefix: testPrefix(),
      processes: 4,
      requestsAtATime: 8,
      instances: 120,
      studies: 1,
      instancesPerRequest: 5,
      warmUp: 0,
      storageTime: () => 0,
    });
    expect(report).toMatchObject({ processes: 4, failed: 0, lost: 0 });
  }, 180_000);
});
