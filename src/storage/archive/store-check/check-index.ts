/** The second pass: rows of the search index and of the study list that stand for nothing. */
import { Catalog } from '../catalog.js';
import { timeOf } from '../ulid.js';
import type { CheckContext } from './check-context.js';
import { isConfirmed, parseIndexKey, writeOf, type IndexKey } from './confirm-index-key.js';
import { placeOf, type Finding } from './finding.js';
import { placeOfIndexRow } from './judge-index.js';
import { filterAsync, tablePages } from './pages.js';

interface KeyedRow {
  readonly partitionKey: string;
  readonly rowKey: string;
}

/** Whether the row is still there, and nobody has just written its study. */
async function isAtRest(
  { tables, now, indexAge }: CheckContext,
  { partitionKey, rowKey }: KeyedRow,
  key: IndexKey,
): Promise<boolean> {
  const { partition, uids } = key.kind === 'row' ? key.row : key;
  const study = await new Catalog(tables).study(partition, uids.study);
  // Rows that a commit made false are removed after it.
  if (study !== undefined && now() - timeOf(study.write) < indexAge) return false;
  return (await tables.get('searchindex', partitionKey, rowKey, { select: [] })) !== undefined;
}

/** Whether a row stands for nothing, and never will. */
export async function isDangling(context: CheckContext, row: KeyedRow): Promise<boolean> {
  const key = parseIndexKey(row.partitionKey, row.rowKey);
  if (key === undefined) return false;
  if (context.now() - timeOf(writeOf(key)) < context.indexAge) return false;
  return !(await isConfirmed(context, key)) && (await isAtRest(context, row, key));
}

function judgeKey({ partitionKey, rowKey }: KeyedRow): Finding {
  const key = parseIndexKey(partitionKey, rowKey);
  if (key === undefined) {
    const target = { kind: 'none' } as const;
    return { kind: 'row-unreadable', where: 'search index', detail: '', target };
  }
  const target = { kind: 'index-key', partitionKey, rowKey } as const;
  if (key.kind === 'row') {
    return { kind: 'index-row-dangling', where: placeOfIndexRow(key.row), detail: '', target };
  }
  const where = placeOf(key.partition, key.uids.study);
  return { kind: 'browse-row-dangling', where, detail: '', target };
}

/** The rows of a page that stand for nothing. */
export async function danglingRowsOf(
  context: CheckContext,
  page: readonly KeyedRow[],
): Promise<readonly Finding[]> {
  return (await filterAsync(page, async (row) => await isDangling(context, row))).map(judgeKey);
}

/** What is amiss in the search index. */
export async function* checkIndex(context: CheckContext): AsyncGenerator<Finding> {
  let done = 0;
  for await (const page of tablePages(context.tables, 'searchindex', [])) {
    const amiss = await filterAsync(
      page,
      async (row) =>
        parseIndexKey(row.partitionKey, row.rowKey) === undefined ||
        (await isDangling(context, row)),
    );
    yield* amiss.map(judgeKey);
    context.progress('index', (done += page.length));
  }
}
