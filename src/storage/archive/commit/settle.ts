/**
 * Settling intents whose writers may be gone. The study row tells what became of one; where it may still
 * be carried out, the row is written first, so that it cannot. Every step may be repeated, beside live
 * writers and by several at once.
 */
import type { BlobStore } from '../../blob-store.js';
import type { Runtime } from '../../runtime.js';
import type { TableStore } from '../../table-store.js';
import { backOff } from './back-off.js';
import type { BrowseIndex } from '../index/browse-index.js';
import { instanceIndexRows } from './catalog-plan.js';
import type { Catalog } from '../catalog.js';
import { asVoid, decodeIntent, filesLeftBy, type LoggedIntent } from '../log/intent.js';
import { blobName, logPartitionKey, logRowKey, type BlobExtension } from '../keys.js';
import { readTail, tailOperation } from '../log/log-tail.js';
import type { IndexRow, SearchIndex } from '../index/search-index.js';
import { shardOfSequence } from '../log/sequence.js';
import { added } from '../log/totals.js';
import type { ArchiveTiming } from '../timing.js';
import type { Ulid } from '../ulid.js';

export interface SettleParts {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
  readonly runtime: Runtime;
  readonly timing: ArchiveTiming;
}

/** Whether the changes of an intent happened, never will, or still may. */
export type Verdict = 'happened' | 'void' | 'open';

/** What is needed of an intent to tell what became of it. */
export type Judged = Pick<LoggedIntent, 'partition' | 'study' | 'base' | 'sequence'>;

/**
 * What the study row says about an intent that is open. That it is void holds only if it is still open
 * afterwards: once it is closed, the row need not name it any more.
 */
export async function verdictOf(
  { catalog }: Pick<SettleParts, 'catalog'>,
  { partition, study, base, sequence }: Judged,
): Promise<Verdict> {
  const { revision, commits } = await catalog.guard(partition, study);
  if (commits.includes(sequence)) return 'happened';
  return revision === base ? 'open' : 'void';
}

/** An intent as it is by now. */
export async function readIntent(
  { tables }: Pick<SettleParts, 'tables'>,
  sequence: number,
): Promise<LoggedIntent | undefined> {
  const partitionKey = logPartitionKey(shardOfSequence(sequence));
  const row = await tables.get('log', partitionKey, logRowKey(sequence));
  return row && decodeIntent(row);
}

/** Which of some intents are open. */
export async function openAmong(
  tables: TableStore,
  intents: readonly number[],
): Promise<ReadonlySet<number>> {
  const shards = new Set(intents.map(shardOfSequence));
  const tails = await Promise.all([...shards].map(async (shard) => await readTail(tables, shard)));
  return new Set(tails.flatMap(({ open }) => open));
}

/** Whether an intent has been settled, as one that happened. */
export async function hasHappened(
  parts: Pick<SettleParts, 'tables'>,
  sequence: number,
): Promise<boolean> {
  if ((await openAmong(parts.tables, [sequence])).has(sequence)) return false;
  return (await readIntent(parts, sequence))?.isVoid === false;
}

/**
 * Makes an intent final, and what follows from it true: fences it where it may still be carried out,
 * does again what follows a commit, and closes it. What a void one has left behind stays for as long as
 * its writer may want to try again.
 *
 * @returns what became of it; `undefined` when its writer has taken it back.
 */
export async function settle(
  parts: SettleParts,
  sequence: number,
): Promise<'happened' | 'void' | undefined> {
  let isFinished = false;
  for (let attempt = 0; ;) {
    const intent = await readIntent(parts, sequence);
    if (intent === undefined) return undefined;
    if (intent.isVoid) return 'void';
    const tail = await readTail(parts.tables, shardOfSequence(sequence));
    if (!tail.open.includes(sequence)) {
      // Closed since its row was read: if as void, then it says so by now.
      const closed = await readIntent(parts, sequence);
      return closed === undefined ? undefined : closed.isVoid ? 'void' : 'happened';
    }
    const verdict = await verdictOf(parts, intent);
    if (verdict === 'open') {
      await parts.catalog.fence(intent.partition, intent.study, intent.base);
      continue;
    }
    if (verdict === 'happened' && !isFinished) {
      await finish(parts, intent);
      isFinished = true;
      continue;
    }
    const { rowKey, etag } = intent.entity;
    const outcome = await parts.tables.transact('log', logPartitionKey(tail.shard), [
      // Guards the verdict as well: the intent was open all the time.
      tailOperation(tail, {
        open: tail.open.filter((one) => one !== sequence),
        totals:
          verdict === 'void'
            ? tail.totals
            : tail.totals && added(tail.totals, [[intent.partition, intent.totals]]),
      }),
      ...(verdict === 'void'
        ? [{ kind: 'replace', rowKey, etag, properties: asVoid(intent.entity) } as const]
        : []),
    ]);
    if (outcome.committed) return verdict;
    await backOff(parts.runtime, attempt++);
  }
}

/** The changes are committed: what follows a commit is done again. */
async function finish(parts: SettleParts, intent: LoggedIntent): Promise<void> {
  const { catalog, browse, index } = parts;
  const { partition, study: uid, write, changes } = intent;
  const study = await catalog.study(partition, uid);
  const isDelete = changes.some(({ action }) => action === 'Delete');
  // `write` of a delete is when the study was made.
  if (isDelete && study?.created !== write) await browse.remove(partition, write, uid);
  if (study !== undefined) await browse.refresh(partition, study, undefined);
  await index.remove(
    changes.flatMap((change) => {
      const version = change.action === 'Delete' ? change.version : change.previous;
      return version === undefined
        ? []
        : instanceIndexRows(partition, { study: uid, ...change, version });
    }),
  );
  await removeUnconfirmed(parts, intent.rows);
}

/**
 * Removes what an intent has left behind, once nobody can need it any more: files of versions that it
 * replaced or deleted; and all that a void one put down, whose row goes first, so that its writer cannot
 * take it over.
 */
export async function clear(parts: SettleParts, intent: LoggedIntent): Promise<void> {
  const { tables, catalog, browse, index } = parts;
  const { partition, study: uid, changes, entity } = intent;
  if (!intent.isVoid) {
    await removeFiles(
      parts,
      intent,
      changes.flatMap((change) => filesLeftBy(change).map((version) => ({ ...change, version }))),
    );
    return;
  }
  const { rowKey, etag } = entity;
  const partitionKey = logPartitionKey(shardOfSequence(intent.sequence));
  const gone = await tables.transact('log', partitionKey, [{ kind: 'delete', rowKey, etag }]);
  if (!gone.committed) return;
  const created = changes.filter(({ action }) => action !== 'Delete');
  await removeFiles(parts, intent, created);
  await index.remove(
    created.flatMap((change) => instanceIndexRows(partition, { study: uid, ...change })),
  );
  await removeUnconfirmed(parts, intent.rows);
  if (created.length > 0 && (await catalog.study(partition, uid))?.created !== intent.write) {
    await browse.remove(partition, intent.write, uid);
  }
}

async function removeFiles(
  { blobs }: SettleParts,
  { partition, study }: LoggedIntent,
  versions: readonly (Pick<LoggedIntent['changes'][number], 'series' | 'instance'> & {
    readonly version: Ulid;
  })[],
): Promise<void> {
  const names = (extension: BlobExtension) =>
    versions.map((change) => blobName(partition, { study, ...change }, change.version, extension));
  await Promise.all([
    blobs.delete('instances', names('dcm')),
    blobs.delete('derived', [...names('metadata.json.gz'), ...names('index.json.gz')]),
  ]);
}

/** Removes those index rows that the catalog does not confirm. */
async function removeUnconfirmed(
  { catalog, index }: SettleParts,
  rows: readonly IndexRow[],
): Promise<void> {
  const confirmed = await Promise.all(rows.map(async (row) => await isRowConfirmed(catalog, row)));
  await index.remove(rows.filter((_, position) => confirmed[position] === false));
}

/** Whether the catalog confirms an index row: of an instance, whether it is of the version that is there. */
export async function isRowConfirmed(catalog: Catalog, row: IndexRow): Promise<boolean> {
  const { study, series, instance } = row.uids;
  if (series !== undefined && instance !== undefined) {
    const now = await catalog.instance(row.partition, { study, series, instance }, ['version']);
    return now?.record.version === row.write;
  }
  const record =
    series === undefined
      ? await catalog.study(row.partition, study)
      : await catalog.series(row.partition, study, series);
  return record?.created === row.created && record.indexes[row.tag]?.[row.value] === row.write;
}
