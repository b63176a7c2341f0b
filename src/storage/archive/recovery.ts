/**
 * Recovery: finishes or undoes what writers left behind when they died. Every step may be repeated,
 * and is safe beside live traffic and beside another recovery: an entry older than its lease has no
 * writer any more, and the catalog tells whether it happened.
 */
import type { BlobStore } from '../blob-store.js';
import type { TableStore } from '../table-store.js';
import type { BrowseIndex } from './browse-index.js';
import { instanceIndexRows } from './catalog-plan.js';
import type { Catalog } from './catalog.js';
import type { ChangeFeed } from './change-feed.js';
import {
  blobName,
  logBucketOf,
  logHeadKey,
  logPartitionKey,
  logRecoveredKey,
  logRowKey,
} from './keys.js';
import type { Fate, LoggedEntry } from './log-entry.js';
import type { IndexRow, SearchIndex } from './search-index.js';
import type { Ulid } from './ulid.js';

export interface RecoveryParts {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
  readonly feed: ChangeFeed;
}

export interface RecoveryReport {
  /** Entries looked at. */
  readonly examined: number;
  /** Entries whose change had been committed. */
  readonly finished: number;
  /** Entries whose change never happened. */
  readonly undone: number;
  /** Everything up to this sequence is settled. */
  readonly settledUpTo: number;
}

/**
 * Settles the entries of the log from its checkpoint on, up to the first that may still happen.
 *
 * @param mostEntries - how many entries one run looks at.
 * @throws ServiceError `storage-unavailable`; the next run goes on where this one got to.
 */
export async function recover(parts: RecoveryParts, mostEntries: number): Promise<RecoveryReport> {
  const { tables, feed } = parts;
  const head = await tables.get('log', logHeadKey.partitionKey, logRecoveredKey);
  const start = Number(head?.properties['sequence'] ?? 0);
  let settledUpTo = start;
  let examined = 0;
  let finished = 0;
  let undone = 0;
  for await (const entry of feed.entries(start + 1, mostEntries)) {
    if (examined === mostEntries) break;
    if (entry.state === 'pending') {
      if (feed.isLeased(entry)) break;
      const happened = (await feed.settlementOf(entry)) === 'happened';
      if (happened) {
        await finish(parts, entry);
        finished++;
      } else {
        await undo(parts, entry);
        undone++;
      }
      await note(parts, entry, happened ? 'done' : 'void');
    }
    examined++;
    settledUpTo = entry.sequence;
  }
  if (settledUpTo > start) {
    await tables.transact('log', logHeadKey.partitionKey, [
      { kind: 'upsert', rowKey: logRecoveredKey, properties: { sequence: BigInt(settledUpTo) } },
    ]);
  }
  return { examined, finished, undone, settledUpTo };
}

async function note(
  { tables }: RecoveryParts,
  { sequence, properties, etag }: LoggedEntry,
  state: Fate,
): Promise<void> {
  // Another recovery may have been faster, with the same result: a clash is no matter.
  await tables.transact('log', logPartitionKey(logBucketOf(sequence)), [
    { kind: 'replace', rowKey: logRowKey(sequence), properties: { ...properties, state }, etag },
  ]);
}

/** The change is committed: what follows a commit is done again. */
async function finish(parts: RecoveryParts, entry: LoggedEntry): Promise<void> {
  const { catalog, browse } = parts;
  const study = await catalog.study(entry.partition, entry.study);
  if (entry.action === 'Delete') {
    await removeVersion(parts, entry, entry.version);
    // `write` of a delete is when the study was made.
    if (study?.created !== entry.write) {
      await browse.remove(entry.partition, entry.write, entry.study);
    }
  } else if (entry.previous !== undefined) await removeVersion(parts, entry, entry.previous);
  if (study !== undefined) await browse.refresh(entry.partition, study, undefined);
  await removeUnconfirmed(parts, entry);
}

/** The change never happened: nothing of it stays. */
async function undo(parts: RecoveryParts, entry: LoggedEntry): Promise<void> {
  const { catalog, browse, feed } = parts;
  if (entry.action !== 'Delete') {
    // Another attempt of the same writer may have made it.
    const now = await feed.current(entry);
    if (now?.version !== entry.version) await removeVersion(parts, entry, entry.version);
    const study = await catalog.study(entry.partition, entry.study);
    if (study?.created !== entry.write) {
      await browse.remove(entry.partition, entry.write, entry.study);
    }
  }
  await removeUnconfirmed(parts, entry);
}

/** Removes the files and index rows of a version that the catalog does not have. */
async function removeVersion(
  { blobs, index }: RecoveryParts,
  entry: LoggedEntry,
  version: Ulid,
): Promise<void> {
  const name = (extension: Parameters<typeof blobName>[3]) =>
    blobName(entry.partition, entry, version, extension);
  await Promise.all([
    blobs.delete('instances', [name('dcm')]),
    blobs.delete('derived', [name('metadata.json.gz'), name('index.json.gz')]),
    index.remove(instanceIndexRows(entry.partition, { ...entry, version })),
  ]);
}

/** Removes those index rows of studies and series that the catalog does not confirm. */
async function removeUnconfirmed(
  { catalog, index }: RecoveryParts,
  { rows = [] }: LoggedEntry,
): Promise<void> {
  const confirmed = await Promise.all(rows.map(async (row) => await isConfirmed(catalog, row)));
  await index.remove(rows.filter((_, position) => confirmed[position] === false));
}

async function isConfirmed(catalog: Catalog, row: IndexRow): Promise<boolean> {
  const { study, series } = row.uids;
  const record =
    series === undefined
      ? await catalog.study(row.partition, study)
      : await catalog.series(row.partition, study, series);
  return record?.created === row.created && record.indexes[row.tag]?.[row.value] === row.write;
}
