/** What reading the change feed costs while commits are open. */
import { expect, it } from '@jest/globals';
import { openOnMemory, put } from '../support/fixture.js';

it('reads the row of each study once, however many of their intents are open', async () => {
  const { archives, calls } = openOnMemory(5);
  const [reader] = archives;
  // Each process leaves the intent of its last commit open for a second.
  for (const [series, archive] of archives.entries()) {
    await put(archive, { study: 1, series, instance: 1 });
    await put(archive, { study: 2, series, instance: 1 });
  }
  calls.length = 0;
  expect(await reader?.feed.changes(1, 100)).toHaveLength(10);
  const rows = calls.filter(({ target }) => target === 'catalog');
  expect(rows).toHaveLength(2);
});
