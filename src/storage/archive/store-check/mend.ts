/**
 * Puts right what the check has found. Every mend looks again first and changes rows under their
 * ETags, so that a store in use can be mended, and mending twice does no harm.
 */
import type { ContainerName } from '../../blob-store.js';
import { Catalog } from '../catalog.js';
import { readTail, writeTail } from '../log/log-tail.js';
import { shardOfSequence } from '../log/sequence.js';
import { SearchIndex, type IndexRow } from '../index/search-index.js';
import { parseBlobName } from './blob-path.js';
import { contextOf, type CheckContext, type CheckOptions, type Stores } from './check-context.js';
import { isDangling } from './check-index.js';
import { fits, mendedTail, readEntries } from './check-log.js';
import { mendTotals } from './check-totals.js';
import { isConfirmed } from './confirm-index-key.js';
import { findingKinds, type Finding, type Target } from './finding.js';
import { judgeOrphan, wantedBlobs } from './judge-blobs.js';
import { rebuildStudy } from './rebuild-study.js';
import { refreshBrowseRow } from './refresh-browse-row.js';
import { checkedInstanceOf, checkedProperties } from './checked-study.js';

export interface MendOptions extends Omit<CheckOptions, 'onProgress'> {
  /**
   * Settles an entry of the log. Without it entries stay open.
   */
  readonly settle?: (sequence: number) => Promise<void>;
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
      return await mendTail(context, target.shard);
    case 'totals':
      return await mendTotals(stores.tables, target.tails, target.missing);
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
  await settle?.(sequence);
  return !(await readTail(tables, shardOfSequence(sequence))).open.includes(sequence);
}

async function mendTail(context: CheckContext, shard: number): Promise<boolean> {
  const tail = await readTail(context.tables, shard);
  const entries = await readEntries(context, tail);
  if (fits(tail, entries)) return true;
  return (await writeTail(context.tables, tail, mendedTail(tail, entries))) !== undefined;
}
