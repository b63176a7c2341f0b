import { beforeEach, describe, expect, it } from '@jest/globals';
import { browsePartitionKey, browseRowKey } from '../../src/storage/archive/keys.js';
import { blobName } from '../../src/storage/archive/blob-name.js';
import { checkStore } from '../../src/storage/archive/store-check.js';
import { sweep, type SweepReport } from '../../src/storage/archive/store-check/sweep.js';
import { instanceIndexRows } from '../../src/storage/archive/index/owned-rows.js';
import { addressOf, type IndexRow } from '../../src/storage/archive/index/search-index.js';
import { newUlid } from '../../src/storage/archive/ulid.js';
import { attribute } from '../../src/dicom/attribute.js';
import type { TableStore } from '../../src/storage/table-store.js';
import {
  openOnAzurite,
  openOnMemory,
  put,
  putAll,
  settle,
  type Shared,
} from './archive/support/fixture.js';
import { bytes, partition, uidsOf, type Sample } from './archive/support/samples.js';

const hour = 60 * 60_000;
const week = 7 * 24 * hour;
const known: Sample = { study: 1, series: 1, instance: 1 };
const unknown: Sample = { study: 9, series: 1, instance: 1 };

/** Rows that die with their writer, before the log knows of them. */
function danglingRow(sample: Sample): IndexRow {
  const { study } = uidsOf(sample);
  const tag = attribute('PatientID');
  const write = newUlid();
  return { partition, level: 'study', tag, value: 'p9', created: write, uids: { study }, write };
}

describe.each([
  ['in memory', () => Promise.resolve(openOnMemory(1))],
  ['on Azurite', async () => await openOnAzurite(1)],
])('sweep %s', (_where, open) => {
  let shared: Shared;
  let tables: TableStore;
  let time: number;

  beforeEach(async () => {
    shared = await open();
    time = Date.now() + 25 * hour;
    const [view] = shared.tables;
    const [archive] = shared.archives;
    if (view === undefined || archive === undefined) throw new RangeError('no archive');
    tables = view;
    for (const instance of [1, 2, 3]) await put(archive, { ...known, instance });
    await put(archive, { study: 2, series: 1, instance: 1 });
    await settle(shared);
  });

  async function run(options: Partial<Parameters<typeof sweep>[1]> = {}) {
    const stores = { tables, blobs: shared.blobs };
    return await sweep(stores, { roundEvery: week, atMost: hour, now: () => time, ...options });
  }

  async function findings(): Promise<readonly string[]> {
    const kinds: string[] = [];
    const stores = { tables, blobs: shared.blobs };
    // Everything counts, however young: storage tells its time to the second, rounded down.
    for await (const { kind } of checkStore(stores, { orphanAge: -2000 })) kinds.push(kind);
    return kinds.sort();
  }

  async function leaveBehind(): Promise<void> {
    const names = [known, unknown].map((sample) =>
      blobName(partition, uidsOf(sample), newUlid(), 'dcm'),
    );
    for (const name of names) await shared.blobs.put('instances', name, bytes());
    const derived = blobName(partition, uidsOf(known), newUlid(), 'metadata.json.gz');
    await shared.blobs.put('derived', derived, bytes());
    const row = danglingRow(unknown);
    const browse = {
      partitionKey: browsePartitionKey(partition),
      rowKey: browseRowKey(row.created, row.uids.study),
    };
    for (const { partitionKey, rowKey } of [addressOf(row), browse]) {
      await tables.transact('searchindex', partitionKey, [
        { kind: 'insert', rowKey, properties: {} },
      ]);
    }
  }

  const behind = [
    'blob-orphaned',
    'blob-orphaned',
    'blob-orphaned',
    'browse-row-dangling',
    'index-row-dangling',
  ];

  it('removes what dead writers left behind, and nothing else', async () => {
    await leaveBehind();
    expect(await findings()).toEqual(behind);
    expect(await run()).toEqual({ blobs: 3, indexRows: 2, isRoundOver: true });
    expect(await findings()).toEqual([]);
    for (const instance of [1, 2, 3]) {
      const uids = uidsOf({ ...known, instance });
      expect(await shared.archives[0]?.catalog.instance(partition, uids)).toBeDefined();
    }
  });

  it('leaves alone what may belong to a write under way', async () => {
    await leaveBehind();
    const now = () => Date.now() + hour / 2;
    expect(await run({ now })).toEqual({ blobs: 0, indexRows: 0, isRoundOver: true });
    expect(await findings()).toEqual(behind);
  });

  it('goes on where the run before stopped, and begins a round a week', async () => {
    await leaveBehind();
    const reports: SweepReport[] = [];
    for (let report = await run({ atMost: 0 }); ; report = await run({ atMost: 0 })) {
      if (report === undefined) break;
      reports.push(report);
    }
    // The two containers, then the index and its words, a page each.
    expect(reports).toEqual([
      { blobs: 2, indexRows: 0, isRoundOver: false },
      { blobs: 1, indexRows: 0, isRoundOver: false },
      { blobs: 0, indexRows: 2, isRoundOver: false },
      { blobs: 0, indexRows: 0, isRoundOver: true },
    ]);
    await leaveBehind();
    time += week - 1;
    expect(await run()).toBeUndefined();
    time += 1;
    expect(await run()).toEqual({ blobs: 3, indexRows: 2, isRoundOver: true });
  });
});

describe('sweep', () => {
  it('asks the catalog for the neighbours of a series together', async () => {
    const shared = openOnMemory(1);
    const [archive] = shared.archives;
    const [tables] = shared.tables;
    if (archive === undefined || tables === undefined) throw new RangeError('no archive');
    for (let first = 1; first <= 320; first += 80) {
      const numbers = Array.from({ length: 80 }, (_, n) => first + n);
      await putAll(
        archive,
        numbers.map((instance) => ({ ...known, instance })),
      );
    }
    await settle(shared);
    // A version that was never committed, beside one that was.
    const uids = uidsOf({ ...known, instance: 17 });
    const write = newUlid();
    const [row] = instanceIndexRows(partition, { ...uids, version: write });
    if (row === undefined) throw new RangeError('no row');
    const { partitionKey, rowKey } = addressOf(row);
    await tables.transact('searchindex', partitionKey, [
      { kind: 'insert', rowKey, properties: {} },
    ]);
    shared.calls.length = 0;
    const now = () => Date.now() + 25 * hour;
    const report = await sweep(
      { tables, blobs: shared.blobs },
      { roundEvery: week, atMost: hour, now },
    );
    expect(report).toEqual({ blobs: 0, indexRows: 1, isRoundOver: true });
    // Beside them some fifty of the study and its words, and what it takes to note how far it has come.
    expect(shared.calls.length).toBeLessThan(120);
    expect(await archive.catalog.instance(partition, uids)).toBeDefined();
  });

  it('begins anew when a round does not get on', async () => {
    const shared = openOnMemory(1);
    const [tables] = shared.tables;
    if (tables === undefined) throw new RangeError('no archive');
    const stores = { tables, blobs: shared.blobs };
    let time = Date.now();
    const options = { roundEvery: week, atMost: 0, now: () => time };
    const first = { blobs: 0, indexRows: 0, isRoundOver: false };
    expect(await sweep(stores, options)).toEqual(first);
    await sweep(stores, options);
    time += 4 * week;
    // The last page of the round under way would end it.
    expect(await sweep(stores, options)).toEqual(first);
  });
});
