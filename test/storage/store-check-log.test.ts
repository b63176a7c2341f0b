/** The check of logs that fill more than one bucket, and of studies that fill more than one transaction. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Archive } from '../../src/storage/archive/archive.js';
import {
  logBucketEntries,
  logHeadKey,
  logPartitionKey,
  logRowKey,
  logTailRowKey,
  seriesRowKey,
  studyPartitionKey,
  studyRowKey,
} from '../../src/storage/archive/keys.js';
import { checkStore } from '../../src/storage/archive/store-check.js';
import { mend } from '../../src/storage/archive/store-check/mend.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import {
  openOnMemory,
  partition,
  put,
  seriesUid,
  settle,
  studyUid,
} from './archive/support/fixture.js';
import { expectTidy } from './archive/support/survey.js';

const blobs = new MemoryBlobStore();

describe('checkStore of a log with a full bucket', () => {
  const tables = new MemoryTableStore();
  const found = async () => {
    const all: string[] = [];
    for await (const { kind, where, detail } of checkStore({ tables, blobs })) {
      all.push(`${kind} ${where} ${detail}`.trim());
    }
    return all;
  };
  const setTail = async (bucket: number, next: number) =>
    await tables.transact('log', logPartitionKey(bucket), [
      {
        kind: 'upsert',
        rowKey: logTailRowKey,
        properties: { next: BigInt(next), ticks: BigInt(next) },
      },
    ]);
  const entry = (sequence: number) => ({
    kind: 'upsert' as const,
    rowKey: logRowKey(sequence),
    properties: { state: 'done', ticks: BigInt(sequence) },
  });

  beforeAll(async () => {
    for (let first = 1; first <= logBucketEntries; first += 100) {
      const entries = Array.from({ length: 100 }, (_, index) => entry(first + index));
      await tables.transact('log', logPartitionKey(0), entries);
    }
    await setTail(0, logBucketEntries + 1);
  });

  it('finds nothing when the next bucket is not begun', async () => {
    expect(await found()).toEqual([]);
    await tables.transact('log', logHeadKey.partitionKey, [
      { kind: 'upsert', rowKey: logHeadKey.rowKey, properties: { bucket: 1 } },
    ]);
    expect(await found()).toEqual([]);
  });

  it('goes on in the next bucket', async () => {
    await tables.transact('log', logPartitionKey(1), [
      entry(logBucketEntries + 1),
      entry(logBucketEntries + 2),
    ]);
    await setTail(1, logBucketEntries + 3);
    expect(await found()).toEqual([]);
  });

  it('goes on although the head was left behind', async () => {
    await tables.transact('log', logHeadKey.partitionKey, [
      { kind: 'delete', rowKey: logHeadKey.rowKey },
    ]);
    await tables.transact('log', logPartitionKey(1), [
      { kind: 'delete', rowKey: logRowKey(logBucketEntries + 1) },
    ]);
    expect(await found()).toEqual([`log-gap log ${logBucketEntries + 1} 1 missing`]);
  });

  it('finds what the end of the full bucket lacks', async () => {
    await tables.transact('log', logPartitionKey(0), [
      { kind: 'delete', rowKey: logRowKey(logBucketEntries) },
    ]);
    expect(await found()).toEqual([
      `log-gap log ${logBucketEntries} 1 missing`,
      `log-gap log ${logBucketEntries + 1} 1 missing`,
    ]);
  });
});

describe('mend of a study with more series than a transaction has rows', () => {
  const count = 230;

  it('rebuilds all of them', async () => {
    const shared = openOnMemory(1);
    const [archive] = shared.archives;
    const [tables] = shared.tables;
    if (!(archive instanceof Archive) || tables === undefined) throw new RangeError('no store');
    for (let series = 1; series <= count; series++) {
      await put(archive, { study: 1, series, instance: 1 });
    }
    await settle(shared);
    const key = studyPartitionKey(partition, studyUid(1));
    const doomed = [...Array(count).keys()].map((index) => seriesRowKey(seriesUid(1, index + 1)));
    for (const rowKey of [studyRowKey, ...doomed]) {
      await tables.transact('catalog', key, [{ kind: 'delete', rowKey }]);
    }
    const stores = { tables, blobs: shared.blobs };
    const kinds = new Set<string>();
    for await (const finding of checkStore(stores, { orphanAge: 0 })) {
      kinds.add(finding.kind);
      await mend(stores, finding, { orphanAge: 0 });
    }
    expect(kinds).toEqual(
      new Set([
        'study-row-missing',
        'series-row-missing',
        'index-row-dangling',
        'browse-row-dangling',
      ]),
    );
    const { studies } = await expectTidy(shared);
    expect(studies).toMatchObject([{ series: count, instances: count }]);
  });
});
