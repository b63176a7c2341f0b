/**
 * Settling intents whose writers may be gone. The study row tells what became of one; where it may still
 * be carried out, the row is written first, so that it cannot. Every step may be repeated, beside live
 * writers and by several at once.
 */
import type { BlobStore } from '../../blob-store.js';
import { backOff } from '../../back-off.js';
import type { Runtime } from '../../runtime.js';
import { removeFiles, type VersionUids } from '../files.js';
import type { BrowseIndex } from '../index/browse-index.js';
import { isConfirmed } from '../index/confirmation.js';
import { instanceIndexRows } from '../index/owned-rows.js';
import type { IndexRow, SearchIndex } from '../index/search-index.js';
import { logPartitionKey } from '../keys.js';
import { asVoid, filesLeftBy, type LoggedIntent } from '../log/intent.js';
import { readTail, tailOperation } from '../log/log-tail.js';
import { shardOfSequence } from '../log/sequence.js';
import { added } from '../log/totals.js';
import {
  closedAs,
  decide,
  readIntent,
  verdictOf,
  type Settled,
  type VerdictParts,
} from '../log/verdict.js';
import type { ArchiveTiming } from '../../../time-budgets.js';

export interface SettleParts extends VerdictParts {
  readonly blobs: BlobStore;
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
  readonly runtime: Runtime;
  readonly timing: ArchiveTiming;
}

/**
 * Makes an intent final, and what follows from it true: fences it where it may still be carried out,
 * does again what follows a commit, and closes it. What a void one has left behind stays for as long as
 * its writer may want to try again.
 *
 * @returns what became of it; `undefined` when its writer has taken it back.
 */
export async function settle(parts: SettleParts, sequence: number): Promise<Settled | undefined> {
  const intent = await readIntent(parts, sequence);
  if (intent === undefined) return undefined;
  if (intent.isVoid) return 'void';
  const verdict = await decide(parts, intent, await verdictOf(parts, intent));
  if (verdict === 'happened') await finish(parts, intent);
  const isVoid = verdict === 'void';
  const { rowKey, etag } = intent.entity;
  const made = [[intent.partition, intent.totals]] as const;
  for (let attempt = 0; ; attempt++) {
    const tail = await readTail(parts.tables, shardOfSequence(sequence));
    // Closed by another: if as void, then its row says so by now.
    if (!tail.open.includes(sequence)) return await closedAs(parts, sequence);
    const open = tail.open.filter((one) => one !== sequence);
    const totals = isVoid ? tail.totals : tail.totals && added(tail.totals, made);
    const closing = tailOperation(tail, { open, totals });
    const outcome = await parts.tables.transact('log', logPartitionKey(tail.shard), [
      closing,
      ...(isVoid
        ? [{ kind: 'replace', rowKey, etag, properties: asVoid(intent.entity) } as const]
        : []),
    ]);
    if (outcome.committed) return verdict;
    await backOff(parts.runtime, attempt);
  }
}

/** The versions that the changes of an intent make useless. */
function versionsLeft({ study, changes }: LoggedIntent): readonly VersionUids[] {
  return changes.flatMap(({ action, series, instance, version: own, previous }) => {
    const version = action === 'Delete' ? own : previous;
    return version === undefined ? [] : [{ study, series, instance, version }];
  });
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
  await index.remove(versionsLeft(intent).flatMap((one) => instanceIndexRows(partition, one)));
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
    const files = changes.flatMap((change) =>
      filesLeftBy(change).map((version) => ({ study: uid, ...change, version })),
    );
    await removeFiles(parts.blobs, partition, files);
    return;
  }
  const { rowKey, etag } = entity;
  const partitionKey = logPartitionKey(shardOfSequence(intent.sequence));
  const gone = await tables.transact('log', partitionKey, [{ kind: 'delete', rowKey, etag }]);
  if (!gone.committed) return;
  const created = changes
    .filter(({ action }) => action !== 'Delete')
    .map((change) => ({ study: uid, ...change }));
  await removeFiles(parts.blobs, partition, created);
  await index.remove(created.flatMap((one) => instanceIndexRows(partition, one)));
  await removeUnconfirmed(parts, intent.rows);
  if (created.length > 0 && (await catalog.study(partition, uid))?.created !== intent.write) {
    await browse.remove(partition, intent.write, uid);
  }
}

/** Removes those index rows that the catalog does not confirm. */
async function removeUnconfirmed(
  { catalog, index }: SettleParts,
  rows: readonly IndexRow[],
): Promise<void> {
  const confirmed = await Promise.all(rows.map(async (row) => await isConfirmed(catalog, row)));
  await index.remove(rows.filter((_, position) => confirmed[position] === false));
}
