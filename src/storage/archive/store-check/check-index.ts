/** The second pass: rows of the search index and of the study list that stand for nothing. */
import { Catalog } from '../catalog.js';
import { timeOf } from '../ulid.js';
import type { Address } from '../index/search-index.js';
import type { CheckContext } from './check-context.js';
import { isConfirmed, parseIndexKey, writeOf, type IndexKey } from './confirm-index-key.js';
import { placeOf, type Finding } from './finding.js';
import { placeOfIndexRow } from './judge-index.js';
import { filterAsync, tablePages } from './pages.js';

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

/** The rows of a page that stand for nothing. */
export async function danglingRowsOf(
  context: CheckContext,
  table: Address['table'],
  page: readonly KeyedRow[],
): Promise<readonly Finding[]> {
  const rows = page.map(({ partitionKey, rowKey }) => ({ table, partitionKey, rowKey }));
  return (await filterAsync(rows, async (row) => await isDangling(context, row))).map(judgeKey);
}

/** What is amiss in the search index. */
export async function* checkIndex(context: CheckContext): AsyncGenerator<Finding> {
  let done = 0;
  for (const table of indexTables) {
    for await (const page of tablePages(context.tables, table, [])) {
      const rows = page.map(({ partitionKey, rowKey }) => ({ table, partitionKey, rowKey }));
      const amiss = await filterAsync(
        rows,
        async (row) =>
          parseIndexKey(table, row.partitionKey, row.rowKey) === undefined ||
          (await isDangling(context, row)),
      );
      yield* amiss.map(judgeKey);
      context.progress('index', (done += page.length));
    }
  }
}
