/**
 * Puts right what the check has found. Every mend looks again first and changes rows under their
 * ETags, so that a store in use can be mended, and mending twice does no harm.
 */
import type { ContainerName } from '../../blob-store.js';
import type { TableOperation } from '../../table-store.js';
import { Catalog } from '../catalog.js';
import {
  logBucketOf,
  logHeadKey,
  logPartitionKey,
  logRecoveredKey,
  logRowKey,
  logTailRowKey,
} from '../keys.js';
import { readBucketTail } from '../log-entry.js';
import { SearchIndex, type IndexRow } from '../search-index.js';
import { parseBlobName } from './blob-path.js';
import { contextOf, type CheckContext, type CheckOptions, type Stores } from './check-context.js';
import { isDangling } from './check-index.js';
import { entryLines } from './check-log.js';
import { isConfirmed } from './confirm-index-key.js';
import { findingKinds, type Finding, type Target } from './finding.js';
import { judgeOrphan, wantedBlobs } from './judge-blobs.js';
import { rebuildStudy } from './rebuild-study.js';
import { refreshBrowseRow } from './refresh-browse-row.js';
import { checkedInstanceOf, checkedProperties } from './study-rows.js';

export interface MendOptions extends Omit<CheckOptions, 'onProgress'> {
  /**
   * Settles pending entries of the log behind the checkpoint, as many as one run does; answers the
   * sequence up to which all are settled. Without it entries stay pending.
   */
  readonly settle?: () => Promise<number>;
}

/**
 * Mends a finding.
 *
 * @returns whether it is mended; `false` for what cannot be mended, or is no longer amiss in a way
 *   that can.
 * @throws ServiceError `storage-unavailable`, `overloaded`.
 */
export async function mend(
  stores: Stores,
  { kind, target }: Finding,
  options: MendOptions = {},
): Promise<boolean> {
  if (!findingKinds[kind].mendable) return false;
  const context = contextOf(stores, options);
  switch (target.kind) {
    case 'study':
      return await rebuildStudy(stores, target.partition, target.study);
    case 'browse-row':
      return await refreshBrowseRow(stores, target.partition, target.study);
    case 'index-row':
      return await insertIndexRow(context, target.row);
    case 'index-key':
      return await removeIndexKey(context, target);
    case 'blob':
      return await removeBlob(context, target.container, target.name);
    case 'log-entry':
      return await settleEntry(context, target.sequence, options.settle);
    case 'log-tail':
      return await moveTail(context, target);
    case 'none':
      return false;
  }
}

async function insertIndexRow(context: CheckContext, row: IndexRow): Promise<boolean> {
  const index = new SearchIndex(context.tables);
  await index.insert([row]);
  // A delete that was faster has removed its rows before this one came.
  if (await isConfirmed(context, { kind: 'row', row })) return true;
  await index.remove([row]);
  return false;
}

async function removeIndexKey(
  context: CheckContext,
  row: Extract<Target, { kind: 'index-key' }>,
): Promise<boolean> {
  if (!(await isDangling(context, row))) return false;
  await context.tables.transact(row.table, row.partitionKey, [
    { kind: 'delete', rowKey: row.rowKey },
  ]);
  return true;
}

async function removeBlob(
  context: CheckContext,
  container: ContainerName,
  name: string,
): Promise<boolean> {
  const path = parseBlobName(container, name);
  if (path === undefined || judgeOrphan(context, container, name) === undefined) return false;
  const row = await new Catalog(context.tables).instance(path.partition, path, checkedProperties);
  if (row !== undefined) {
    const instance = checkedInstanceOf(path, row.entity);
    // A row that cannot be read may name it.
    if (instance === undefined) return false;
    const isWanted = wantedBlobs(path.partition, instance).some(
      (blob) => blob.container === container && blob.name === name,
    );
    if (isWanted) return false;
  }
  await context.blobs.delete(container, [name]);
  return true;
}

async function settleEntry(
  { tables }: CheckContext,
  sequence: number,
  settle: MendOptions['settle'],
): Promise<boolean> {
  if (settle === undefined) return false;
  // Recovery starts from its checkpoint; going back is only a matter of time.
  const checkpoint = await tables.get('log', logHeadKey.partitionKey, logRecoveredKey);
  if (Number(checkpoint?.properties['sequence'] ?? 0) >= sequence) {
    await tables.transact('log', logHeadKey.partitionKey, [
      {
        kind: 'upsert',
        rowKey: logRecoveredKey,
        properties: { sequence: BigInt(sequence - 1) },
      },
    ]);
  }
  for (let before = -1, reached = await settle(); reached < sequence && reached > before;) {
    before = reached;
    reached = await settle();
  }
  const partitionKey = logPartitionKey(logBucketOf(sequence));
  const row = await tables.get('log', partitionKey, logRowKey(sequence));
  return row?.properties['state'] !== 'pending';
}

async function moveTail(
  context: CheckContext,
  { bucket, last }: Extract<Target, { kind: 'log-tail' }>,
): Promise<boolean> {
  const tail = await readBucketTail(context.tables, bucket);
  let next = tail.next;
  let ticks = tail.ticks;
  for await (const line of entryLines(context, bucket, Math.min(last, tail.next))) {
    next = Math.max(next, line.sequence + 1);
    if (line.ticks > ticks) ticks = line.ticks;
  }
  const properties = { next: BigInt(next), ticks };
  const operation: TableOperation =
    tail.etag === undefined
      ? { kind: 'insert', rowKey: logTailRowKey, properties }
      : { kind: 'replace', rowKey: logTailRowKey, properties, etag: tail.etag };
  const outcome = await context.tables.transact('log', logPartitionKey(bucket), [operation]);
  return outcome.committed;
}
