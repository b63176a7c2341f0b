/** A few kills at the steps that matter most; `npm run test:faults` takes them all. */
import { describe, expect, it } from '@jest/globals';
import { testConnectionString, testPrefix } from '../../support/storage/azurite.js';
import { runKills } from '../run-kills.js';
import type { Kill } from './arena.js';
import { violationsOf } from './tables.js';

const plan: readonly Kill[] = [
  { moment: 'after', step: 'log append' },
  { moment: 'after', step: 'catalog commit' },
];

describe('a service whose processes are killed', () => {
  it('loses nothing that it acknowledged and shows nothing that it refused', async () => {
    const report = await runKills({
      connectionString: testConnectionString(),
      prefix: testPrefix(),
      kills: plan.length,
      seed: 11,
      clients: 3,
      plan,
    });
    expect(violationsOf(report)).toEqual([]);
    expect([...report.kills.values()].reduce((sum, kills) => sum + kills, 0)).toBe(plan.length);
    expect(report.acknowledged).toBeGreaterThan(plan.length);
    expect(report.unanswered).toBeGreaterThan(0);
  }, 180_000);
});
