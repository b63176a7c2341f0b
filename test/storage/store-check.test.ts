/** Damage of every kind, made by hand, is found once, mended where it can be, and then gone. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkStore } from '../../src/storage/archive/store-check.js';
import type { CheckProgress } from '../../src/storage/archive/store-check/check-context.js';
import {
  findingKinds,
  type Finding,
  type FindingKind,
} from '../../src/storage/archive/store-check/finding.js';
import { mend } from '../../src/storage/archive/store-check/mend.js';
import {
  browsePartitionKey,
  browseRowKey,
  instanceRowKey,
  logPartitionKey,
  logRowKey,
  logTailRowKey,
  originalRowKey,
  seriesRowKey,
  studyPartitionKey,
  studyRowKey,
  wordPartitionKey,
} from '../../src/storage/archive/keys.js';
import { blobName } from '../../src/storage/archive/blob-name.js';
import { chunksOfSize } from '../../src/group-by.js';
import type { Archive } from '../../src/storage/archive/archive.js';
import { instanceIndexRows } from '../../src/storage/archive/index/owned-rows.js';
import { readTail } from '../../src/storage/archive/log/log-tail.js';
import { addressOf, rowsOf } from '../../src/storage/archive/index/search-index.js';
import { newUlid, type Ulid } from '../../src/storage/archive/ulid.js';
import {
  openOnAzurite,
  openOnMemory,
  put,
  settle,
  upload,
  type Shared,
} from './archive/support/fixture.js';
import {
  bytes,
  partition,
  seriesUid,
  studyUid,
  uidsOf,
  type Sample,
} from './archive/support/samples.js';
import { hasWords } from '../../src/storage/archive/index/word-index.js';
import type { Entity, Properties, TableName } from '../../src/storage/table-store.js';

const samples: readonly Sample[] = [
  { study: 1, series: 1, instance: 1 },
  { study: 1, series: 1, instance: 2 },
  { study: 1, series: 2, instance: 1, modality: 'MR' },
  { study: 2, series: 1, instance: 1, patient: 'P2' },
];
const [first, , second] = samples as readonly [Sample, Sample, Sample, Sample];

/** Everything counts, however young: storage tells its time to the second, rounded down. */
const strict = { orphanAge: -2000 };

interface Opened extends Shared {
  readonly stores: { readonly tables: Shared['tables'][0]; readonly blobs: Shared['blobs'] };
}

async function filled(shared: Shared): Promise<Opened> {
  const [archive] = shared.archives;
  const [tables] = shared.tables;
  if (archive === undefined || tables === undefined) throw new RangeError('no store');
  for (const sample of samples) await put(archive, sample);
  await settle(shared);
  return { ...shared, stores: { tables, blobs: shared.blobs } };
}

async function found(
  { stores }: Opened,
  options: Parameters<typeof checkStore>[1] = strict,
): Promise<readonly Finding[]> {
  const all: Finding[] = [];
  for await (const finding of checkStore(stores, options)) all.push(finding);
  return all;
}

/** Lets the clock of the store go on. */
function passMinutes({ stores: { tables } }: Opened, minutes: number): void {
  const { now } = tables;
  tables.now = () => now() + minutes * 60_000;
}

const kindsOf = (findings: readonly Finding[]) => findings.map(({ kind }) => kind);

/** Mends as it checks, as the script does; once more for totals, which are looked at while nothing moves. */
async function repair(opened: Opened): Promise<readonly FindingKind[]> {
  return [...(await repairOnce(opened)), ...(await repairOnce(opened))];
}

/** Answers the kinds that were mended. */
async function repairOnce(opened: Opened): Promise<readonly FindingKind[]> {
  const { stores, archives } = opened;
  const settleLog = async (sequence: number) => await archives[0]?.settle(sequence);
  const mended: FindingKind[] = [];
  for await (const finding of checkStore(stores, strict)) {
    if (await mend(stores, finding, { ...strict, settle: settleLog })) mended.push(finding.kind);
  }
  return mended;
}

const key = studyPartitionKey(partition, studyUid(1));

async function change(
  { stores }: Opened,
  table: TableName,
  partitionKey: string,
  rowKey: string,
  by: (properties: Properties) => Properties,
): Promise<void> {
  const row = await stores.tables.get(table, partitionKey, rowKey);
  if (row === undefined) throw new RangeError(`no row ${rowKey}`);
  const properties = by(row.properties);
  await stores.tables.transact(table, partitionKey, [{ kind: 'upsert', rowKey, properties }]);
}

async function remove({ stores }: Opened, table: TableName, partitionKey: string, rowKey: string) {
  const outcome = await stores.tables.transact(table, partitionKey, [{ kind: 'delete', rowKey }]);
  expect(outcome.committed).toBe(true);
}

async function insert(
  { stores }: Opened,
  table: TableName,
  partitionKey: string,
  rowKey: string,
  properties: Properties = {},
): Promise<void> {
  await stores.tables.transact(table, partitionKey, [{ kind: 'insert', rowKey, properties }]);
}

/** Changes the part of a study or series row that is not its attributes. */
const inState =
  (by: (state: Record<string, unknown>) => object) =>
  (properties: Properties): Properties => {
    const state = JSON.parse(String(properties['state'])) as Record<string, unknown>;
    return { ...properties, state: JSON.stringify({ ...state, ...by(state) }) };
  };

async function wordRows({ stores }: Opened): Promise<readonly Entity[]> {
  const partitionKey = wordPartitionKey(partition, 'study');
  return (await stores.tables.query('searchwords', { partitionKey })).entities;
}

async function studyRecord({ archives }: Opened) {
  const record = await archives[0]?.catalog.study(partition, studyUid(1));
  if (record === undefined) throw new RangeError('no study');
  return record;
}

async function versionOf({ archives }: Opened, sample: Sample): Promise<Ulid> {
  const row = await archives[0]?.catalog.instance(partition, uidsOf(sample));
  if (row === undefined) throw new RangeError('no instance');
  return row.record.version;
}

async function nameOf(opened: Opened, sample: Sample): Promise<string> {
  return blobName(partition, uidsOf(sample), await versionOf(opened, sample), 'dcm');
}

interface Damage {
  readonly what: string;
  readonly kind: FindingKind;
  readonly make: (opened: Opened) => Promise<void>;
  /** What a repair finds behind what it mended first. */
  readonly behind?: readonly FindingKind[];
}

const damages: readonly Damage[] = [
  {
    what: 'a wrong count of a study',
    kind: 'counts-wrong',
    make: async (opened) => {
      await change(
        opened,
        'catalog',
        key,
        studyRowKey,
        inState(() => ({ instances: 7 })),
      );
    },
  },
  {
    what: 'wrong modalities of a study',
    kind: 'counts-wrong',
    make: async (opened) => {
      await change(
        opened,
        'catalog',
        key,
        studyRowKey,
        inState(() => ({ modalities: { CT: 2 } })),
      );
    },
  },
  {
    what: 'wrong SOP classes of a series',
    kind: 'counts-wrong',
    make: async (opened) => {
      const rowKey = seriesRowKey(seriesUid(1, 1));
      await change(
        opened,
        'catalog',
        key,
        rowKey,
        inState(() => ({ sopClasses: { '1.2': 2 } })),
      );
    },
  },
  {
    what: 'a study row that is gone',
    kind: 'study-row-missing',
    make: async (opened) => {
      await remove(opened, 'catalog', key, studyRowKey);
    },
    behind: ['index-row-dangling'],
  },
  {
    what: 'a series row that is gone',
    kind: 'series-row-missing',
    make: async (opened) => {
      await remove(opened, 'catalog', key, seriesRowKey(seriesUid(1, 2)));
    },
    behind: ['index-row-dangling'],
  },
  {
    what: 'a study row without instances',
    kind: 'study-row-empty',
    make: async (opened) => {
      const row = await opened.stores.tables.get('catalog', key, studyRowKey);
      const empty = studyPartitionKey(partition, studyUid(9));
      const state = inState(() => ({ study: studyUid(9), indexes: {} }));
      await insert(opened, 'catalog', empty, studyRowKey, state(row?.properties ?? {}));
    },
  },
  {
    what: 'a series row without instances',
    kind: 'series-row-empty',
    make: async (opened) => {
      const row = await opened.stores.tables.get('catalog', key, seriesRowKey(seriesUid(1, 1)));
      const state = inState(() => ({ series: seriesUid(1, 9), indexes: {} }));
      const rowKey = seriesRowKey(seriesUid(1, 9));
      await insert(opened, 'catalog', key, rowKey, state(row?.properties ?? {}));
    },
  },
  {
    what: 'an index row of an instance that is gone',
    kind: 'index-row-missing',
    make: async (opened) => {
      const version = await versionOf(opened, first);
      for (const row of instanceIndexRows(partition, { ...uidsOf(first), version })) {
        const { partitionKey, rowKey } = addressOf(row);
        await remove(opened, 'searchindex', partitionKey, rowKey);
      }
    },
  },
  {
    what: 'an index row of a study that is gone',
    kind: 'index-row-missing',
    make: async (opened) => {
      const { study, created, indexes } = await studyRecord(opened);
      const [row] = rowsOf({ partition, level: 'study', uids: { study }, created }, indexes);
      if (row === undefined) throw new RangeError('no index row');
      const { partitionKey, rowKey } = addressOf(row);
      await remove(opened, 'searchindex', partitionKey, rowKey);
    },
  },
  {
    what: 'an index row of an instance that is not there',
    kind: 'index-row-dangling',
    make: async (opened) => {
      const uids = uidsOf({ study: 1, series: 1, instance: 8 });
      await opened.archives[0]?.index.insert(
        instanceIndexRows(partition, { ...uids, version: newUlid() }),
      );
    },
  },
  {
    what: 'an index row of a value that the study does not have',
    kind: 'index-row-dangling',
    make: async (opened) => {
      const { study, created, indexes } = await studyRecord(opened);
      const rows = rowsOf({ partition, level: 'study', uids: { study }, created }, indexes);
      const row = rows.find(({ tag }) => !hasWords('study', tag));
      if (row === undefined) throw new RangeError('no index row');
      await opened.archives[0]?.index.insert([{ ...row, value: 'Secret' }]);
    },
  },
  {
    what: 'a word of a value that the study does not have',
    kind: 'index-row-dangling',
    make: async (opened) => {
      const [row] = (await wordRows(opened)).filter(({ rowKey }) => rowKey.startsWith('00100010'));
      if (row === undefined) throw new RangeError('no word');
      const rowKey = row.rowKey.replace(/^00100010[^|]*/, '00100010Secret');
      await insert(opened, 'searchwords', row.partitionKey, rowKey, {});
    },
  },
  {
    what: 'a word of a study that nobody finds',
    kind: 'index-row-missing',
    make: async (opened) => {
      const [row] = await wordRows(opened);
      if (row === undefined) throw new RangeError('no word');
      await remove(opened, 'searchwords', row.partitionKey, row.rowKey);
    },
  },
  {
    what: 'a study that the study list lacks',
    kind: 'browse-row-missing',
    make: async (opened) => {
      const { created } = await studyRecord(opened);
      const rowKey = browseRowKey(created, studyUid(1));
      await remove(opened, 'searchindex', browsePartitionKey(partition), rowKey);
    },
  },
  {
    what: 'an outdated copy in the study list',
    kind: 'browse-row-stale',
    make: async (opened) => {
      const { created } = await studyRecord(opened);
      const rowKey = browseRowKey(created, studyUid(1));
      await change(opened, 'searchindex', browsePartitionKey(partition), rowKey, (properties) => ({
        ...inState(() => ({ revision: 1, instances: 1 }))(properties),
        revision: 1,
      }));
    },
  },
  {
    what: 'a copy of no study in the study list',
    kind: 'browse-row-dangling',
    make: async (opened) => {
      const record = { ...(await studyRecord(opened)), study: studyUid(9), created: newUlid() };
      await opened.archives[0]?.browse.announce(partition, record);
    },
  },
  {
    what: 'a file that is gone',
    kind: 'blob-missing',
    make: async (opened) => {
      await opened.stores.blobs.delete('instances', [await nameOf(opened, first)]);
    },
  },
  {
    what: 'a file of another length',
    kind: 'blob-length-wrong',
    make: async (opened) => {
      await opened.stores.blobs.put('instances', await nameOf(opened, first), twice());
    },
  },
  {
    what: 'metadata in a blob that is not there',
    kind: 'blob-missing',
    make: async (opened) => {
      const rowKey = instanceRowKey(uidsOf(first));
      await change(opened, 'catalog', key, rowKey, (properties) => ({
        ...properties,
        metadataInBlob: true,
      }));
    },
  },
  {
    what: 'a file of another version',
    kind: 'blob-orphaned',
    make: async ({ stores }) => {
      const name = blobName(partition, uidsOf(first), newUlid(), 'dcm');
      await stores.blobs.put('instances', name, bytes());
    },
  },
  {
    what: 'a frame index that no row names',
    kind: 'blob-orphaned',
    make: async (opened) => {
      const version = await versionOf(opened, first);
      const name = blobName(partition, uidsOf(first), version, 'index.json.gz');
      await opened.stores.blobs.put('derived', name, bytes());
    },
  },
  {
    what: 'a file of a study that is not there',
    kind: 'blob-orphaned',
    make: async ({ stores }) => {
      const uids = uidsOf({ study: 8, series: 1, instance: 1 });
      await stores.blobs.put('instances', blobName(partition, uids, newUlid(), 'dcm'), bytes());
    },
  },
  {
    what: 'a blob with a strange name',
    kind: 'blob-unknown',
    make: async ({ stores }) => {
      await stores.blobs.put('derived', 'notes.txt', bytes());
    },
  },
  {
    what: 'a row that is not JSON',
    kind: 'row-unreadable',
    make: async (opened) => {
      await change(opened, 'catalog', key, studyRowKey, (properties) => ({
        ...properties,
        state: '{',
      }));
    },
  },
  {
    what: 'the original of an instance that was never updated',
    kind: 'original-wrong',
    make: async (opened) => {
      const uids = uidsOf(first);
      const row = await opened.stores.tables.get('catalog', key, instanceRowKey(uids));
      await insert(opened, 'catalog', key, originalRowKey(uids), row?.properties);
    },
  },
  {
    what: 'a row of the search index that nothing makes',
    kind: 'row-unreadable',
    make: async (opened) => {
      await insert(opened, 'searchindex', 'notes', 'row');
    },
  },
  {
    what: 'an entry that nobody settled',
    kind: 'log-entry-pending',
    // It was counted when it was closed for the first time.
    behind: ['totals-wrong'],
    make: async (opened) => {
      const { newest } = await readTail(opened.stores.tables, 0);
      await change(opened, 'log', logPartitionKey(0), logTailRowKey, (properties) => ({
        ...properties,
        open: String(newest),
      }));
      passMinutes(opened, 20);
    },
  },
  {
    what: 'an entry of the log that is not JSON',
    kind: 'row-unreadable',
    make: async (opened) => {
      const { newest } = await readTail(opened.stores.tables, 0);
      await change(opened, 'log', logPartitionKey(0), logRowKey(newest), (properties) => ({
        ...properties,
        changes: '[',
      }));
    },
  },
  {
    what: 'a tail before the end of the log',
    kind: 'log-tail-wrong',
    make: async (opened) => {
      await change(opened, 'log', logPartitionKey(0), logTailRowKey, (properties) => ({
        ...properties,
        last: 2n,
      }));
    },
  },
  {
    what: 'a tail that names what is not there',
    kind: 'log-tail-wrong',
    make: async (opened) => {
      await change(opened, 'log', logPartitionKey(0), logTailRowKey, (properties) => ({
        ...properties,
        open: '64',
      }));
    },
  },
  {
    what: 'a log without its tail',
    kind: 'log-tail-wrong',
    behind: ['totals-wrong'],
    make: async (opened) => {
      await remove(opened, 'log', logPartitionKey(0), logTailRowKey);
    },
  },
  {
    what: 'a log that counts a study too many',
    kind: 'totals-wrong',
    make: async (opened) => {
      await change(opened, 'log', logPartitionKey(0), logTailRowKey, (properties) => ({
        ...properties,
        totals: `${partition} 3 3 4 16`,
      }));
    },
  },
  {
    what: 'a log that was begun without bytes',
    kind: 'totals-wrong',
    make: async (opened) => {
      await change(opened, 'log', logPartitionKey(0), logTailRowKey, (properties) => ({
        ...properties,
        totals: String(properties['totals']).replace(/ \d+$/, ''),
      }));
    },
  },
  {
    what: 'a log that was begun without totals',
    kind: 'totals-wrong',
    make: async (opened) => {
      await change(opened, 'log', logPartitionKey(0), logTailRowKey, (properties) =>
        Object.fromEntries(Object.entries(properties).filter(([name]) => name !== 'totals')),
      );
    },
  },
];

interface Deed extends Sample {
  readonly remove: boolean;
  readonly depth: number;
}

async function* twice() {
  yield* bytes();
  yield* bytes();
}

describe('checkStore', () => {
  it.each(damages)('finds $what, once', async ({ kind, make }) => {
    const opened = await filled(openOnMemory(1, { shortPagesSeed: 5 }));
    await make(opened);
    const findings = await found(opened);
    expect(kindsOf(findings)).toEqual([kind]);
    expect(`${findings[0]?.where} ${findings[0]?.detail}`).not.toMatch(/\b(P1|A1)\b|Ann|Secret/);
  });

  it('knows a damage of every kind', () => {
    const kinds = new Set(damages.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(Object.keys(findingKinds).sort());
  });

  it('finds nothing in a store where instances came, were replaced and went', async () => {
    const deed = fc.record({
      remove: fc.boolean(),
      study: fc.integer({ min: 1, max: 2 }),
      series: fc.integer({ min: 1, max: 2 }),
      instance: fc.integer({ min: 1, max: 3 }),
      depth: fc.integer({ min: 1, max: 3 }),
      patient: fc.constantFrom('P1', 'Müller', 'P/#?'),
      modality: fc.constantFrom('CT', 'MR'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 12 }), async (deeds) => {
        const shared = openOnMemory(2, { shortPagesSeed: 1 });
        const [archive, other] = shared.archives;
        const [tables] = shared.tables;
        if (archive === undefined || other === undefined || tables === undefined) {
          throw new RangeError('no store');
        }
        const perform = async (by: Archive, { remove: isRemoval, depth, ...sample }: Deed) => {
          const { study, series, instance } = uidsOf(sample);
          if (!isRemoval) {
            const file = await upload(by, sample);
            await by.store(partition, file, depth === 1 ? 'replace' : 'create');
            return;
          }
          await by.delete(partition, study, {
            ...(depth > 1 && { series }),
            ...(depth > 2 && { instance }),
          });
        };
        // Two processes at once.
        for (const pair of chunksOfSize(deeds, 2)) {
          await Promise.all(
            pair.map(async (one, index) => await perform(index === 0 ? archive : other, one)),
          );
        }
        await settle(shared);
        const opened = { ...shared, stores: { tables, blobs: shared.blobs } };
        expect(await found(opened)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('leaves alone what may be under way', async () => {
    const opened = await filled(openOnMemory(1));
    const young: readonly FindingKind[] = [
      'blob-orphaned',
      'index-row-dangling',
      'browse-row-dangling',
      'browse-row-stale',
    ];
    for (const { kind, make } of damages) if (young.includes(kind)) await make(opened);
    expect(await found(opened, {})).toEqual([]);
    const hours = 60 * 60_000;
    const kindsAfter = async (age: number) =>
      new Set(kindsOf(await found(opened, { now: () => Date.now() + age })));
    expect(await kindsAfter(2 * hours)).toEqual(
      new Set(young.filter((kind) => kind !== 'blob-orphaned')),
    );
    expect(await kindsAfter(25 * hours)).toEqual(new Set(young));
  });

  it('does not report what a store that is going on will have', async () => {
    const opened = await filled(openOnMemory(1));
    const [archive] = opened.archives;
    const { tables, blobs } = opened.stores;
    // Each study gains an instance between the pass over its rows and the look at its blobs.
    let left = 3;
    const busy: typeof blobs = Object.assign(Object.create(blobs) as typeof blobs, {
      list: async (...call: Parameters<typeof blobs.list>) => {
        if (left-- > 0 && archive !== undefined) {
          await put(archive, { study: 1, series: 3, instance: left + 10 });
          await archive.close();
        }
        return await blobs.list(...call);
      },
    });
    const all: Finding[] = [];
    for await (const finding of checkStore({ tables, blobs: busy }, strict)) all.push(finding);
    expect(all).toEqual([]);
  });

  it('tells how far it is', async () => {
    const opened = await filled(openOnMemory(1));
    const heard: CheckProgress[] = [];
    await found(opened, { onProgress: (progress) => heard.push(progress) });
    const last = new Map(heard.map(({ phase, done }) => [phase, done]));
    expect([...last]).toEqual([
      ['catalog', 2],
      ['index', expect.any(Number)],
      ['blobs', 4],
      ['log', 1],
    ]);
  });

  it('checks an empty store', async () => {
    const { tables, blobs } = openOnMemory(1);
    const [view] = tables;
    if (view === undefined) throw new RangeError('no store');
    const all: Finding[] = [];
    for await (const finding of checkStore({ tables: view, blobs })) all.push(finding);
    expect(all).toEqual([]);
  });
});

describe('mend', () => {
  it.each(damages.filter(({ kind }) => findingKinds[kind].mendable))(
    'puts right $what, so that the next check is clean',
    async ({ kind, make, behind = [] }) => {
      const opened = await filled(openOnMemory(1));
      await make(opened);
      const mended = await repair(opened);
      expect(new Set(mended)).toEqual(new Set([kind, ...behind]));
      expect(await found(opened)).toEqual([]);
      const [archive] = opened.archives;
      if (archive === undefined) throw new RangeError('no store');
      // Life goes on.
      await put(archive, { study: 1, series: 2, instance: 77, modality: 'MR' });
      await archive.delete(partition, studyUid(2), {});
      await settle(opened);
      expect(await found(opened)).toEqual([]);
    },
  );

  it.each(damages.filter(({ kind }) => !findingKinds[kind].mendable))(
    'leaves $what as it is',
    async ({ kind, make }) => {
      const opened = await filled(openOnMemory(1));
      await make(opened);
      expect(await repair(opened)).toEqual([]);
      expect(kindsOf(await found(opened))).toEqual([kind]);
    },
  );

  it.each(damages.filter(({ kind }) => findingKinds[kind].mendable))(
    'does no harm when $what has been put right before',
    async ({ make }) => {
      const opened = await filled(openOnMemory(1));
      await make(opened);
      const findings = await found(opened);
      await repair(opened);
      for (const finding of findings) await mend(opened.stores, finding, strict);
      expect(await found(opened)).toEqual([]);
    },
  );

  it('rebuilds rows as stores would have left them', async () => {
    const opened = await filled(openOnMemory(1));
    const before = await studyRecord(opened);
    const series = await opened.archives[0]?.catalog.series(
      partition,
      studyUid(1),
      seriesUid(1, 2),
    );
    await remove(opened, 'catalog', key, studyRowKey);
    await remove(opened, 'catalog', key, seriesRowKey(seriesUid(1, 2)));
    await repair(opened);
    const { indexes, ...after } = await studyRecord(opened);
    expect(after).toMatchObject({
      created: before.created,
      attributes: before.attributes,
      newest: before.newest,
      series: 2,
      instances: 3,
      modalities: { CT: 1, MR: 1 },
      sopClasses: before.sopClasses,
    });
    expect(after.revision).toBeGreaterThan(before.revision);
    const values = (some: typeof indexes) =>
      Object.entries(some).map(([tag, all]) => [tag, Object.keys(all)]);
    expect(values(indexes)).toEqual(values(before.indexes));
    const rebuilt = await opened.archives[0]?.catalog.series(
      partition,
      studyUid(1),
      uidsOf(second).series,
    );
    expect(rebuilt?.attributes).toEqual(series?.attributes);
    expect(rebuilt?.instances).toBe(1);
  });

  it('starts again when another writer was faster', async () => {
    const opened = await filled(openOnMemory(2));
    const [, other] = opened.archives;
    const { tables } = opened.stores;
    if (other === undefined) throw new RangeError('no store');
    const rowKey = studyRowKey;
    await change(
      opened,
      'catalog',
      key,
      rowKey,
      inState(() => ({ modalities: {} })),
    );
    const [finding] = await found(opened);
    if (finding === undefined) throw new RangeError('nothing found');
    // Behind each of the first three looks at whether the study rests.
    let commits = 0;
    tables.around = async (call, act) => {
      const answer = await act();
      if (call.table === 'catalog' && call.operation === 'get' && commits < 3) {
        commits += 1;
        await put(other, { study: 1, series: 1, instance: 20 + commits });
      }
      return answer;
    };
    expect(await mend(opened.stores, finding, strict)).toBe(true);
    tables.around = undefined;
    await settle(opened);
    expect(commits).toBe(3);
    expect(await found(opened)).toEqual([]);
    const { instances, modalities } = await studyRecord(opened);
    expect({ instances, modalities }).toEqual({ instances: 6, modalities: { CT: 1, MR: 1 } });
  });

  it('inserts no index row for what is deleted meanwhile', async () => {
    const opened = await filled(openOnMemory(2));
    const [, other] = opened.archives;
    const { tables } = opened.stores;
    await damages.find(({ kind }) => kind === 'index-row-missing')?.make(opened);
    const [finding] = await found(opened);
    if (finding === undefined) throw new RangeError('nothing found');
    let isDeleted = false;
    tables.around = async (call, act) => {
      if (!isDeleted && call.table === 'searchindex' && call.operation === 'transact') {
        isDeleted = true;
        await other?.delete(partition, studyUid(1), {});
      }
      return await act();
    };
    expect(await mend(opened.stores, finding, strict)).toBe(false);
    tables.around = undefined;
    await settle(opened);
    expect(isDeleted).toBe(true);
    expect(await found(opened)).toEqual([]);
  });

  it('puts a study that is deleted meanwhile not back into the study list', async () => {
    const opened = await filled(openOnMemory(2));
    const [, other] = opened.archives;
    const { tables } = opened.stores;
    await damages.find(({ kind }) => kind === 'browse-row-missing')?.make(opened);
    const [finding] = await found(opened);
    if (finding === undefined) throw new RangeError('nothing found');
    let isDeleted = false;
    tables.around = async (call, act) => {
      if (!isDeleted && call.table === 'searchindex' && call.operation === 'transact') {
        isDeleted = true;
        await other?.delete(partition, studyUid(1), {});
      }
      return await act();
    };
    expect(await mend(opened.stores, finding, strict)).toBe(false);
    tables.around = undefined;
    await settle(opened);
    expect(isDeleted).toBe(true);
    expect(await found(opened)).toEqual([]);
  });
});

describe('checkStore on Azurite', () => {
  it('finds and mends what it does in memory', async () => {
    const opened = await filled(await openOnAzurite(1));
    expect(await found(opened)).toEqual([]);
    const some: readonly FindingKind[] = [
      'study-row-missing',
      'index-row-missing',
      'blob-orphaned',
      'browse-row-dangling',
      'log-tail-wrong',
    ];
    const made: FindingKind[] = [];
    for (const kind of some) {
      const damage = damages.find((one) => one.kind === kind);
      // The study row goes last: the others are made from it.
      if (damage === undefined || kind === 'study-row-missing') continue;
      await damage.make(opened);
      made.push(kind);
    }
    await damages.find(({ kind }) => kind === 'study-row-missing')?.make(opened);
    const kinds = kindsOf(await found(opened));
    expect(kinds).toEqual(expect.arrayContaining([...made, 'study-row-missing']));
    await repair(opened);
    expect(await found(opened)).toEqual([]);
  });
});
