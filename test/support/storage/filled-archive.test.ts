/** The rows that follow from numbers are those that stores would have left. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { filledRows, FilledTables } from './filled-archive.js';

describe('the filled archive', () => {
  const studies = 130;
  const filled = new FilledTables();
  const stored = new MemoryTableStore();
  const ranges = new Map<string, readonly [table: 'searchindex' | 'searchwords', tag: string]>();

  beforeAll(async () => {
    filled.grow(studies);
    for (let study = 0; study < studies; study++) {
      for (const { table, partitionKey, operation } of filledRows(study)) {
        await stored.transact(table, partitionKey, [operation]);
        if (table === 'searchindex') ranges.set(`${partitionKey}\n`, [table, '']);
        if (table === 'searchwords') {
          const tag = operation.rowKey.slice(0, 8);
          ranges.set(`${partitionKey}\n${tag}`, [table, tag]);
        }
      }
    }
  });

  it('has the same index rows as one that was stored, page by page', async () => {
    expect(ranges.size).toBeGreaterThan(20);
    for (const [key, [table, tag]] of ranges) {
      const [partitionKey = ''] = key.split('\n');
      const range = { partitionKey, ...(tag !== '' && { from: tag, to: `${tag}\uffff` }) };
      let from: string | undefined;
      for (let pages = 0; pages < 200; pages++) {
        const part = { ...range, ...(from !== undefined && { from }) };
        const [ours, theirs] = await Promise.all(
          [filled, stored].map(async (tables) => await tables.query(table, part, { limit: 37 })),
        );
        const keys = theirs?.entities.map(({ rowKey }) => rowKey);
        expect(ours?.entities.map(({ rowKey }) => rowKey)).toEqual(keys);
        const isMore = theirs?.continuation !== undefined;
        expect(ours?.continuation !== undefined).toBe(isMore);
        if (!isMore) break;
        from = `${keys?.at(-1) ?? ''} `;
      }
    }
  });
});
