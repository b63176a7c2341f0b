/** Whether the catalog confirms a row of the search index, told from its key. */
import { parseTag } from '../../../dicom/tag.js';
import { ServiceError } from '../../../errors.js';
import { Catalog } from '../catalog.js';
import { isConfirmed as isRowConfirmed } from '../index/confirmation.js';
import { sopInstanceUid } from '../index/owned-rows.js';
import type { Address, IndexRow } from '../index/search-index.js';
import {
  instanceRows,
  parseBrowseRowKey,
  parseIndexPartitionKey,
  parseIndexRowKey,
  parseWordRowKey,
  studyPartitionKey,
  type Level,
  type Partition,
} from '../keys.js';
import type { ListedTag } from '../query-tag-list.js';
import type { Ulid } from '../ulid.js';
import type { CheckContext } from './check-context.js';
import { hasRows } from './checked-study.js';

/** What a key of the search index stands for. */
export type IndexKey =
  | { readonly kind: 'row'; readonly row: IndexRow }
  /** `value` is an ending of a value. */
  | { readonly kind: 'word'; readonly row: IndexRow }
  | {
      readonly kind: 'browse';
      readonly partition: Partition;
      readonly uids: IndexRow['uids'];
      readonly created: Ulid;
    };

/** `undefined` for a key that the service does not make. */
export function parseIndexKey(
  table: Address['table'],
  partitionKey: string,
  rowKey: string,
): IndexKey | undefined {
  const of = parseIndexPartitionKey(partitionKey);
  if (of === undefined || (of.kind === 'words') !== (table === 'searchwords')) return undefined;
  const { kind, partition } = of;
  if (kind === 'browse') {
    const { created, study } = parseBrowseRowKey(rowKey);
    return { kind, partition, uids: { study }, created };
  }
  const row =
    kind === 'words'
      ? { ...of, ...parseWordRowKey(rowKey) }
      : { ...of, ...parseIndexRowKey(rowKey) };
  if (namesIn(row) !== depth[row.level] || parseTag(row.tag) === undefined) return undefined;
  return { kind: kind === 'words' ? 'word' : 'row', row };
}

const depth: Readonly<Record<Level, number>> = { study: 1, series: 2, instance: 3 };

function namesIn({ uids }: IndexRow): number {
  return [uids.study, uids.series, uids.instance].filter((uid) => uid !== undefined && uid !== '')
    .length;
}

/** The write that put the row there. */
export function writeOf(key: IndexKey): Ulid {
  return key.kind === 'browse' ? key.created : key.row.write;
}

/**
 * Asks the catalog. Rows of a study or series whose own row is missing or unreadable although it has
 * instances count as confirmed: that is another finding.
 */
export async function isConfirmed(
  { tables, tagList }: CheckContext,
  key: IndexKey,
): Promise<boolean> {
  const catalog = new Catalog(tables);
  const { partition, uids } = key.kind === 'browse' ? key : key.row;
  const hasInstances = async () =>
    await hasRows(tables, instanceRows(partition, uids.study, uids.series));
  try {
    if (key.kind === 'browse') {
      const study = await catalog.study(partition, uids.study);
      return study === undefined ? await hasInstances() : study.created === key.created;
    }
    const { level, tag } = key.row;
    const isListed = (one: ListedTag) =>
      one.tag === tag && one.level === level && one.status !== 'deleting';
    if (level === 'instance' && tag !== sopInstanceUid && !(await tagList()).tags.some(isListed)) {
      return false;
    }
    return await isRowConfirmed(catalog, key.row, key.kind === 'word', hasInstances);
  } catch (error) {
    const isUnreadable =
      error instanceof SyntaxError ||
      (error instanceof ServiceError && error.code === 'storage-corrupt');
    if (isUnreadable) return true;
    throw error;
  }
}

/** Whether the study has rows at all. */
export async function hasStudy(
  { tables }: CheckContext,
  partition: Partition,
  study: IndexRow['uids']['study'],
): Promise<boolean> {
  return await hasRows(tables, { partitionKey: studyPartitionKey(partition, study) });
}
