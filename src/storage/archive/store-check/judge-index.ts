/** Whether everything in a study can be found: its index rows, and its copy in the study list. */
import {
  instanceIndexRows,
  seriesIndexRows,
  studyIndexRows,
  taggedIndexRows,
} from '../index/owned-rows.js';
import { taggedValues, tagsOf } from '../index/query-tags.js';
import { dataSetOf } from './data-set-of.js';
import { browsePartitionKey, browseRowKey } from '../keys.js';
import { encodeStudy } from '../records.js';
import { addressesOf, type IndexRow } from '../index/search-index.js';
import { timeOf } from '../ulid.js';
import type { CheckContext } from './check-context.js';
import { placeOf, type Finding } from './finding.js';
import { bySeries } from './judge-rows.js';
import { filterAsync } from './pages.js';
import type { CheckedStudy } from './checked-study.js';

/** Where an index row is, without the value, which may be a patient's. */
export function placeOfIndexRow({ partition, uids, level, tag }: IndexRow): string {
  return `${placeOf(partition, uids.study, uids.series, uids.instance)} ${level} ${tag}`;
}

/** The rows by which instances are found by query tags that may be searched by. */
async function taggedRows(
  context: CheckContext,
  { partition, instances }: CheckedStudy,
): Promise<readonly IndexRow[]> {
  const { version, tags } = await context.tagList();
  const ready = tagsOf(
    { version, tags: tags.filter(({ status }) => status === 'ready') },
    'instance',
  );
  if (ready.length === 0) return [];
  const rows: IndexRow[] = [];
  for (const instance of instances) {
    const tagged = taggedValues(await dataSetOf(context, partition, instance), ready);
    rows.push(...taggedIndexRows(partition, instance, tagged, { version, tags: ready }));
  }
  return rows;
}

/** The index rows that the catalog asks for and that are not there. */
export async function judgeIndexRows(
  context: CheckContext,
  rows: CheckedStudy,
): Promise<readonly Finding[]> {
  const { tables } = context;
  const { partition, row, series, instances } = rows;
  const below = bySeries(instances);
  const implied = [
    ...(row === undefined || instances.length === 0 ? [] : studyIndexRows(partition, row.record)),
    ...[...series]
      .filter(([uid]) => below.has(uid))
      .flatMap(([, { record }]) => seriesIndexRows(partition, record)),
    ...instances.flatMap((instance) => [...instanceIndexRows(partition, instance)]),
    ...(await taggedRows(context, rows)),
  ];
  const missing = await filterAsync(implied, async (indexRow) => {
    const there = await Promise.all(
      addressesOf(indexRow).map(
        async ({ table, partitionKey, rowKey }) =>
          await tables.get(table, partitionKey, rowKey, { select: [] }),
      ),
    );
    return there.includes(undefined);
  });
  return missing.map((indexRow) => ({
    kind: 'index-row-missing',
    where: placeOfIndexRow(indexRow),
    detail: '',
    target: { kind: 'index-row', row: indexRow },
  }));
}

/** Whether the copy of the study row in the study list is there and as new as the row. */
export async function judgeBrowseRow(
  { tables, now, indexAge }: CheckContext,
  { partition, study, row, instances }: CheckedStudy,
): Promise<readonly Finding[]> {
  if (row === undefined || instances.length === 0) return [];
  const { record } = row;
  // The copy follows the commit.
  if (now() - timeOf(record.write) < indexAge) return [];
  const copy = await tables.get(
    'searchindex',
    browsePartitionKey(partition),
    browseRowKey(record.created, study),
  );
  const where = placeOf(partition, study);
  const target = { kind: 'browse-row', partition, study } as const;
  if (copy === undefined) return [{ kind: 'browse-row-missing', where, detail: '', target }];
  const revision = Number(copy.properties['revision']);
  const { attributes, state } = encodeStudy(record);
  const isSame = copy.properties['attributes'] === attributes && copy.properties['state'] === state;
  // Fences make revisions grow and change nothing else.
  if (revision <= record.revision && isSame) return [];
  const detail = `revision ${revision}, not ${record.revision}`;
  return [{ kind: 'browse-row-stale', where, detail, target }];
}
