/** Row 8: searches among 10 000 studies, beside Orthanc, our own rate among 100, and the bare range query. */
import {
  defaultPartition,
  browsePartitionKey,
  indexPartitionKey,
} from '../../src/storage/archive/keys.js';
import path from 'node:path';
import { attribute } from '../../src/dicom/attribute.js';
import type { Tag } from '../../src/dicom/tag.js';
import { connectStorage } from '../../src/storage/azure/connect.js';
import type {
  RowRange,
  TableName,
  TableOperation,
  TableStore,
} from '../../src/storage/table-store.js';
import { filledRows } from '../../test/support/storage/filled-archive.js';
import { dataSetOf, dateOf, familyOf } from '../../test/support/storage/numbered-studies.js';
import { buildPart10 } from '../../test/support/part10-builder.js';
import type { Context, Part } from './context.js';
import { Client, rateOf, rateWithin } from './load.js';
import { inTurns, median, summarise, type Row } from './row.js';
import { startScript } from './service.js';

const clients = 8;
const milliseconds = 800;
const sizes = { few: 100, many: 10_000 } as const;
const headers = { Accept: 'application/dicom+json' };

const ohif =
  'limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060%2C00080090%2C00100030';

interface Query {
  readonly work: string;
  /** About a study that is there whatever the size. */
  readonly search: (study: number) => string;
  readonly atLeast: number;
  /** The range that our search reads first. */
  readonly range: (study: number) => { readonly range: RowRange; readonly limit: number };
}

function indexRange(tag: Tag, prefix: string): RowRange {
  return {
    partitionKey: indexPartitionKey(defaultPartition, 'study', tag, prefix),
    from: prefix,
    to: `${prefix}\uffff`,
  };
}

/** The month in which the first studies are. */
const month = `${dateOf(0).slice(0, 6)}01-${dateOf(0).slice(0, 6)}31`;

const queries: readonly Query[] = [
  {
    work: 'study list, a page of 100',
    search: () => 'limit=100',
    atLeast: 6,
    range: () => ({ range: { partitionKey: browsePartitionKey(defaultPartition) }, limit: 101 }),
  },
  {
    work: 'exact PatientID',
    search: (n) => `PatientID=P${Math.floor(n / 2)}`,
    atLeast: 3,
    range: (n) => ({
      range: indexRange(attribute('PatientID'), `p${Math.floor(n / 2)}`),
      limit: 100,
    }),
  },
  {
    work: 'exact AccessionNumber',
    search: (n) => `AccessionNumber=A${n}`,
    atLeast: 3,
    range: (n) => ({ range: indexRange(attribute('AccessionNumber'), `a${n}`), limit: 100 }),
  },
  {
    work: 'beginning of a PatientName',
    search: (n) => `PatientName=${familyOf(n)}*&limit=50`,
    atLeast: 3,
    range: (n) => ({ range: indexRange(attribute('PatientName'), familyOf(n)), limit: 51 }),
  },
  {
    work: 'a month of StudyDate, 50 results',
    search: () => `StudyDate=${month}&limit=50`,
    atLeast: 3,
    range: () => ({ range: indexRange(attribute('StudyDate'), dateOf(0).slice(0, 6)), limit: 51 }),
  },
  {
    work: "OHIF's list of *name*",
    search: (n) => `${ohif}&PatientName=*${familyOf(n)}*`,
    atLeast: 4,
    range: () => ({ range: { partitionKey: browsePartitionKey(defaultPartition) }, limit: 1000 }),
  },
];

/** Writes the rows that stores of these studies would leave. */
async function fill(tables: TableStore, from: number, to: number): Promise<void> {
  const waiting = new Map<string, { table: TableName; operations: TableOperation[] }>();
  const jobs: (() => Promise<unknown>)[] = [];
  const flush = (key: string) => {
    const batch = waiting.get(key);
    if (batch === undefined) return;
    waiting.delete(key);
    const partitionKey = key.slice(key.indexOf(' ') + 1);
    const write = async () => await tables.transact(batch.table, partitionKey, batch.operations);
    // A kept-alive connection may just have been closed; to insert the same rows twice changes nothing.
    jobs.push(async () => await write().catch(write));
  };
  for (let study = from; study < to; study++) {
    for (const { table, partitionKey, operation } of filledRows(study)) {
      if (table === 'log') continue;
      const key = `${table} ${partitionKey}`;
      const batch = waiting.get(key) ?? { table, operations: [] };
      batch.operations.push(operation);
      waiting.set(key, batch);
      if (batch.operations.length === 100) flush(key);
    }
  }
  for (const key of [...waiting.keys()]) flush(key);
  await rateOf(8, jobs.length, async (n) => await jobs[n]?.());
}

async function fillOrthanc(restUrl: string, from: number, to: number): Promise<void> {
  const client = new Client(restUrl, 4);
  await rateOf(4, to - from, async (n) => {
    const body = [buildPart10({ elements: dataSetOf(from + n) })];
    await client.send({ method: 'POST', path: '/instances', body });
  });
  client.close();
}

async function measure(context: Context): Promise<readonly Row[]> {
  const { service, orthanc, connectionString, rounds, progress } = context;
  if (orthanc === undefined) return [];
  const { tables } = connectStorage({ connectionString });
  const ours = new Client(service.baseUrl, clients);
  const theirs = new Client(orthanc.baseUrl, clients);
  const rateOfOurs = async ({ search }: Query) =>
    await rateWithin(clients, milliseconds, async (n) => {
      await ours.send({ path: `/studies?${search((n * 7) % sizes.few)}`, headers });
    });
  const rateOfTheirs = async ({ search }: Query) =>
    await rateWithin(clients, milliseconds, async (n) => {
      await theirs.send({ path: `/studies?${search((n * 7) % sizes.few)}`, headers });
    });
  const rateOfRange = async ({ range }: Query) =>
    await rateWithin(clients, milliseconds, async (n) => {
      const { range: rows, limit } = range((n * 7) % sizes.few);
      await tables.query('searchindex', rows, { limit });
    });
  const several = async (figure: () => Promise<number>) => {
    const figures: number[] = [];
    for (let round = 0; round < 3; round++) figures.push(await figure());
    return median(figures);
  };

  progress(`search: filling ${sizes.few} studies`);
  await fill(tables, 0, sizes.few);
  await fillOrthanc(orthanc.restUrl, 0, sizes.few);
  const few = new Map<Query, { readonly own: number; readonly range: number }>();
  for (const query of queries) {
    progress(`search among ${sizes.few}: ${query.work}`);
    few.set(query, {
      own: await several(async () => await rateOfOurs(query)),
      range: await several(async () => await rateOfRange(query)),
    });
  }
  progress(`search: filling ${sizes.many} studies`);
  await fill(tables, sizes.few, sizes.many);
  await fillOrthanc(orthanc.restUrl, sizes.few, sizes.many);
  const rows: Row[] = [];
  for (const query of queries) {
    progress(`search among ${sizes.many}: ${query.work}`);
    service.storageCalls('');
    const all = await inTurns(
      rounds,
      async () => await rateOfOurs(query),
      async () => await rateOfTheirs(query),
    );
    const storageCalls = service.storageCalls('searchForStudies');
    const range = await several(async () => await rateOfRange(query));
    const summary = summarise(all);
    const before = few.get(query) ?? { own: Number.NaN, range: Number.NaN };
    const own = (summary.ours / before.own).toFixed(2);
    const bare = (range / before.range).toFixed(2);
    rows.push({
      number: '8',
      work: `search among ${sizes.many}: ${query.work}`,
      against: orthanc.version,
      unit: 'requests/s',
      ...summary,
      goal: { atLeast: query.atLeast },
      ...(storageCalls === undefined ? {} : { storageCalls }),
      note: `of our rate among ${sizes.few}: ${own}; the bare range query on Azurite: ${bare}`,
    });
  }
  ours.close();
  theirs.close();
  return [...rows, ...(await measureStandIn(context, rows))];
}

/**
 * The same searches over the ordered stand-in: what the service costs where a range query does not
 * scan. Orthanc's rates are those just taken.
 */
async function measureStandIn(
  { rounds, progress }: Context,
  measured: readonly Row[],
): Promise<readonly Row[]> {
  const service = await startScript(path.join(__dirname, 'stand-in-service.js'), [], {
    STAND_IN_STUDIES: String(sizes.many),
  });
  const client = new Client(service.baseUrl, clients);
  const rows: Row[] = [];
  for (const [at, query] of queries.entries()) {
    const row = measured[at];
    if (row === undefined) continue;
    progress(`search among ${sizes.many} in the stand-in: ${query.work}`);
    const all = await inTurns(
      rounds,
      async () =>
        await rateWithin(clients, milliseconds / 2, async (n) => {
          await client.send({ path: `/studies?${query.search((n * 7) % sizes.few)}`, headers });
        }),
      async () => await Promise.resolve(row.theirs),
    );
    const { number, against, unit, goal } = row;
    const work = `${row.work}, storage in memory`;
    rows.push({ number: `${number}m`, work, against, unit, goal, ...summarise(all) });
  }
  client.close();
  await service.stop();
  return rows;
}

export const search: Part = { name: 'search', rounds: 5, besideOrthanc: true, measure };
