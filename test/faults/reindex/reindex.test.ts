/** A small run of `npm run test:faults -- --only reindex`. */
import { expect, it } from '@jest/globals';
import { reindexBesideStores } from './beside-stores.js';

it('finds by tags that were added beside stores and deletes what a scan finds, and leaves nothing when they go', async () => {
  const report = await reindexBesideStores({ instances: 200, clients: 8, seed: 1 });
  const { missing, wrong, findings, rowsLeft, unexpected } = report;
  expect({ missing, wrong, findings, rowsLeft, unexpected }).toEqual({
    ...{ missing: [], wrong: [], findings: [], rowsLeft: 0, unexpected: [] },
  });
  expect(report.stored).toBeGreaterThan(20);
  expect(report.deleted).toBeGreaterThan(10);
  expect(report.errors).toBeGreaterThan(0);
  expect(report.scanned).toBeGreaterThan(100);
}, 60_000);
