/** Whether the catalog confirms a row of the search index, told from its key. */
import { attribute } from '../../../dicom/attribute.js';
import { parseTag } from '../../../dicom/tag.js';
import { ServiceError } from '../../../errors.js';
import { Catalog } from '../catalog.js';
import { instanceIndexRows } from '../commit/catalog-plan.js';
import {
  instanceRows,
  parseBrowseRowKey,
  parseIndexRowKey,
  parseWordRowKey,
  type Level,
  type Partition,
} from '../keys.js';
import type { ListedTag } from '../query-tag-list.js';
import type { Indexes } from '../records.js';
import { addressOf, type Address, type IndexRow } from '../index/search-index.js';
import type { Ulid } from '../ulid.js';
import { wordRowsOf } from '../index/word-index.js';
import { studyPartitionKey } from '../keys.js';
import type { CheckContext } from './check-context.js';
import { hasRows } from './study-rows.js';

const sopInstanceUid = attribute('SOPInstanceUID');

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

function parseLevel(text: string | undefined): Level | undefined {
  return (['study', 'series', 'instance'] as const).find((one) => one === text);
}

/** `undefined` for a key that the service does not make. */
export function parseIndexKey(
  table: Address['table'],
  partitionKey: string,
  rowKey: string,
): IndexKey | undefined {
  const fields = partitionKey.split('|');
  const partition = (fields[0] ?? '') as Partition;
  if (table === 'searchwords') {
    const level = parseLevel(fields[1]);
    const { tag: name, ...key } = parseWordRowKey(rowKey);
    const tag = parseTag(name);
    if (fields.length !== 2 || tag === undefined || level === undefined) return undefined;
    const row = { ...key, partition, level, tag };
    return namesIn(row) === depth[level] ? { kind: 'word', row } : undefined;
  }
  if (fields.length === 3 && fields[1] === 'study' && fields[2] === 'newest') {
    const { created, study } = parseBrowseRowKey(rowKey);
    return { kind: 'browse', partition, uids: { study }, created };
  }
  const tag = parseTag(fields[2] ?? '');
  const level = parseLevel(fields[1]);
  if (fields.length !== 4 || tag === undefined || level === undefined) return undefined;
  const row = { ...parseIndexRowKey(rowKey), partition, level, tag };
  return namesIn(row) === depth[level] ? { kind: 'row', row } : undefined;
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

/** The record of a study or series, whichever the key is of. */
async function ownerOf(
  catalog: Catalog,
  { partition, uids: { study, series } }: Pick<IndexRow, 'partition' | 'uids'>,
): Promise<{ readonly created: Ulid; readonly indexes: Indexes } | undefined> {
  return series === undefined
    ? await catalog.study(partition, study)
    : await catalog.series(partition, study, series);
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
  const owned = key.kind === 'browse' ? key : key.row;
  const { partition, uids } = owned;
  const { study, series, instance } = uids;
  try {
    if (key.kind === 'row' && series !== undefined && instance !== undefined) {
      const now = await catalog.instance(partition, { study, series, instance }, ['version']);
      if (now === undefined) return false;
      if (key.row.tag !== sopInstanceUid) {
        // What a version has for a tag never changes.
        const { tags } = await tagList();
        const isListed = ({ tag, level, status }: ListedTag) =>
          tag === key.row.tag && level === 'instance' && status !== 'deleting';
        return now.record.version === key.row.write && tags.some(isListed);
      }
      const { partitionKey, rowKey } = addressOf(key.row);
      return instanceIndexRows(partition, now.record)
        .map(addressOf)
        .some((address) => address.partitionKey === partitionKey && address.rowKey === rowKey);
    }
    const owner = await ownerOf(catalog, owned);
    if (owner === undefined) return await hasRows(tables, instanceRows(partition, study, series));
    if (owner.created !== owned.created) return false;
    return key.kind === 'browse' || isOf(key, owner.indexes);
  } catch (error) {
    const isUnreadable =
      error instanceof SyntaxError ||
      (error instanceof ServiceError && error.code === 'storage-corrupt');
    if (isUnreadable) return true;
    throw error;
  }
}

function isOf({ kind, row }: Exclude<IndexKey, { kind: 'browse' }>, indexes: Indexes): boolean {
  const values = indexes[row.tag] ?? {};
  if (kind === 'row') return values[row.value] === row.write;
  return Object.entries(values).some(
    ([value, write]) =>
      write === row.write && wordRowsOf(row.level, row.tag, value).includes(row.value),
  );
}

/** Whether the study has rows at all. */
export async function hasStudy(
  { tables }: CheckContext,
  partition: Partition,
  study: IndexRow['uids']['study'],
): Promise<boolean> {
  return await hasRows(tables, { partitionKey: studyPartitionKey(partition, study) });
}
