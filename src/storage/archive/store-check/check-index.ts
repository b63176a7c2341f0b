/** The second pass: rows of the search index and of the study list that stand for nothing. */
import { groupBy } from '../../../group-by.js';
import { Catalog } from '../catalog.js';
import { isOfInstance } from '../index/confirmation.js';
import { sopInstanceUid } from '../index/owned-rows.js';
import { instanceRowKey } from '../keys.js';
import { timeOf } from '../ulid.js';
import type { Address } from '../index/search-index.js';
import type { CheckContext } from './check-context.js';
import { isConfirmed, parseIndexKey, writeOf, type IndexKey } from './confirm-index-key.js';
import { placeOf, type Finding } from './finding.js';
import { placeOfIndexRow } from './judge-index.js';
import { filterAsync, forEachOf, tablePages } from './pages.js';

/** The tables whose rows are hints. */
export const indexTables = ['searchindex', 'searchwords'] as const;

interface KeyedRow {
  readonly partitionKey: string;
  readonly rowKey: string;
}

/** Whether the row is still there, and nobody has just written its study. */
async function isAtRest(
  { tables, now, indexAge }: CheckContext,
  { table, partitionKey, rowKey }: Address,
  key: IndexKey,
): Promise<boolean> {
  const { partition, uids } = key.kind === 'browse' ? key : key.row;
  const study = await new Catalog(tables).study(partition, uids.study);
  // Rows that a commit made false are removed after it.
  if (study !== undefined && now() - timeOf(study.write) < indexAge) return false;
  return (await tables.get(table, partitionKey, rowKey, { select: [] })) !== undefined;
}

/** Whether a row stands for nothing, and never will. */
export async function isDangling(context: CheckContext, row: Address): Promise<boolean> {
  const key = parseIndexKey(row.table, row.partitionKey, row.rowKey);
  if (key === undefined) return false;
  if (context.now() - timeOf(writeOf(key)) < context.indexAge) return false;
  return !(await isConfirmed(context, key)) && (await isAtRest(context, row, key));
}

function judgeKey({ table, partitionKey, rowKey }: Address): Finding {
  const key = parseIndexKey(table, partitionKey, rowKey);
  if (key === undefined) {
    const target = { kind: 'none' } as const;
    return { kind: 'row-unreadable', where: 'search index', detail: '', target };
  }
  const target = { kind: 'index-key', table, partitionKey, rowKey } as const;
  if (key.kind !== 'browse') {
    return { kind: 'index-row-dangling', where: placeOfIndexRow(key.row), detail: '', target };
  }
  const where = placeOf(key.partition, key.uids.study);
  return { kind: 'browse-row-dangling', where, detail: '', target };
}

/** So many neighbours of one series are asked for together rather than one by one. */
const fewestNeighbours = 8;

/**
 * The rows of a page that have to be looked at one by one: all but those that are by UIDs of instances, and true. Such rows
 * lie side by side as the rows of their instances do, so that one call tells of many.
 */
async function doubtfulRowsOf(
  { tables }: CheckContext,
  table: Address['table'],
  page: readonly KeyedRow[],
): Promise<readonly Address[]> {
  const catalog = new Catalog(tables);
  const rows = page.map(({ partitionKey, rowKey }) => ({ table, partitionKey, rowKey }));
  const all = rows.flatMap((address) => {
    const key = parseIndexKey(table, address.partitionKey, address.rowKey);
    if (key?.kind !== 'row' || key.row.tag !== sopInstanceUid) return [];
    const { study, series, instance } = key.row.uids;
    if (series === undefined || instance === undefined) return [];
    return [{ address, row: key.row, uids: { study, series, instance } }];
  });
  const bySeries = groupBy(all, ({ row, uids }) => placeOf(row.partition, uids.study, uids.series));
  const confirmed = new Set<Address>();
  await forEachOf([...bySeries.values()], async (some) => {
    const ordered = some.toSorted((a, b) =>
      instanceRowKey(a.uids) < instanceRowKey(b.uids) ? -1 : 1,
    );
    const [first, last] = [ordered[0], ordered.at(-1)];
    if (some.length < fewestNeighbours || first === undefined || last === undefined) return;
    const { row, uids } = first;
    const versions = await catalog.versionsBetween(row.partition, uids.study, uids, last.uids);
    for (const { address, row: one, uids: own } of some) {
      const version = versions.get(instanceRowKey(own));
      if (version !== undefined && isOfInstance({ version }, one, own.instance)) {
        confirmed.add(address);
      }
    }
  });
  return rows.filter((row) => !confirmed.has(row));
}

/** The rows of a page that stand for nothing. */
export async function danglingRowsOf(
  context: CheckContext,
  table: Address['table'],
  page: readonly KeyedRow[],
): Promise<readonly Finding[]> {
  const rows = await doubtfulRowsOf(context, table, page);
  return (await filterAsync(rows, async (row) => await isDangling(context, row))).map(judgeKey);
}

/** What is amiss in the search index. */
export async function* checkIndex(context: CheckContext): AsyncGenerator<Finding> {
  let done = 0;
  for (const table of indexTables) {
    for await (const page of tablePages(context.tables, table, [])) {
      const amiss = await filterAsync(
        await doubtfulRowsOf(context, table, page),
        async (row) =>
          parseIndexKey(table, row.partitionKey, row.rowKey) === undefined ||
          (await isDangling(context, row)),
      );
      yield* amiss.map(judgeKey);
      context.progress('index', (done += page.length));
    }
  }
}
