import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  added,
  decodeTotals,
  decodePartitionTotals,
  encodePartitionTotals,
  plus,
  type Totals,
} from '../../../../src/storage/archive/log/totals.js';
import {
  logPartitionKey,
  logTailRowKey,
  parsePartition,
} from '../../../../src/storage/archive/keys.js';
import { openOnMemory, put } from '../support/fixture.js';
import { partition, studyUid } from '../support/samples.js';

const other = parsePartition('constructor');

describe('totals', () => {
  it('are read as they were written, those of many partitions too', () => {
    const totals: fc.Arbitrary<Totals> = fc.record({
      studies: fc.nat(),
      series: fc.nat(),
      instances: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      bytes: fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER }), { nil: undefined }),
    });
    const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/).map(parsePartition);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, totals), { maxLength: 20 }), (entries) => {
        const all = new Map(entries);
        expect(decodePartitionTotals(encodePartitionTotals(all))).toEqual(all);
      }),
    );
    const many = new Map(
      Array.from({ length: 3000 }, (_, n) => {
        return [
          parsePartition(`clinic-${n}`),
          { studies: n, series: n, instances: n, bytes: n },
        ] as const;
      }),
    );
    expect(decodePartitionTotals(encodePartitionTotals(many))).toEqual(many);
    expect(decodePartitionTotals(encodePartitionTotals(undefined))).toBeUndefined();
  });

  it('do not know the bytes where a part does not', () => {
    const known = decodeTotals('1 2 3 4');
    expect(known).toEqual({ studies: 1, series: 2, instances: 3, bytes: 4 });
    expect(plus(known, decodeTotals('1 1 1'))).toMatchObject({ instances: 4, bytes: undefined });
  });

  it('lose partitions of which nothing is left', () => {
    const one = { studies: 1, series: 2, instances: 3, bytes: 4 };
    const none = { studies: -1, series: -2, instances: -3, bytes: -4 };
    expect(added(added(new Map(), [[other, one]]), [[other, none]])).toEqual(new Map());
  });
});

describe('the totals of an archive', () => {
  it('have what was stored a moment ago, before the log has closed it', async () => {
    const { archives, tables } = openOnMemory(1);
    const [archive] = archives;
    if (archive === undefined) throw new RangeError('no store');
    expect(await archive.totals(partition)).toBeUndefined();
    await put(archive, { study: 1, series: 1, instance: 1 });
    await put(archive, { study: 1, series: 2, instance: 2 });
    await put(archive, { study: 2, series: 1, instance: 3 });
    expect(await archive.totals(partition)).toEqual({
      studies: 2,
      series: 3,
      instances: 3,
      bytes: 12,
    });
    expect(await archive.totals(other)).toEqual({ studies: 0, series: 0, instances: 0, bytes: 0 });
    await archive.delete(partition, studyUid(1), {});
    expect(await archive.totals(partition)).toEqual({
      studies: 1,
      series: 1,
      instances: 1,
      bytes: 4,
    });
    await archive.close();
    expect(await archive.totals(partition)).toEqual({
      studies: 1,
      series: 1,
      instances: 1,
      bytes: 4,
    });
    const tail = await tables[0]?.get('log', logPartitionKey(0), logTailRowKey);
    expect(tail?.properties['totals']).toBe(`${partition} 1 1 1 4`);
  });

  it('cost one call in an archive that rests', async () => {
    const { archives, tables } = openOnMemory(1);
    const [archive] = archives;
    const [view] = tables;
    if (archive === undefined || view === undefined) throw new RangeError('no store');
    await put(archive, { study: 1, series: 1, instance: 1 });
    await archive.close();
    const calls: string[] = [];
    view.around = async ({ operation, table }, act) => {
      calls.push(`${operation} ${table}`);
      return await act();
    };
    expect(await archive.totals(partition)).toEqual({
      studies: 1,
      series: 1,
      instances: 1,
      bytes: 4,
    });
    expect(calls).toEqual(['get log']);
  });
});
