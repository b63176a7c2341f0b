/** What became of an intent: the study row tells while it is open, its own row once it is closed. */
import type { TableStore } from '../../table-store.js';
import type { Catalog } from '../catalog.js';
import { logPartitionKey, logRowKey } from '../keys.js';
import type { StudyGuard } from '../records.js';
import { decodeIntent, type LoggedIntent } from './intent.js';
import { readTail } from './log-tail.js';
import { shardOfSequence } from './sequence.js';

export interface VerdictParts {
  readonly tables: TableStore;
  readonly catalog: Catalog;
}

/** Whether the changes of an intent happened, never will, or still may. */
export type Verdict = Settled | 'open';

/** What became of an intent that is closed. */
export type Settled = 'happened' | 'void';

/** What is needed of an intent to tell what became of it. */
export type Judged = Pick<LoggedIntent, 'partition' | 'study' | 'base' | 'sequence'>;

/**
 * What the study row says about an intent that is open. That it is void holds only if it is still open
 * afterwards: once it is closed, the row need not name it any more.
 */
export function verdictBy(
  { revision, commits }: StudyGuard,
  { base, sequence }: Pick<Judged, 'base' | 'sequence'>,
): Verdict {
  if (commits.includes(sequence)) return 'happened';
  return revision === base ? 'open' : 'void';
}

/** The same, by the row as it is now. */
export async function verdictOf(
  { catalog }: Pick<VerdictParts, 'catalog'>,
  intent: Judged,
): Promise<Verdict> {
  return verdictBy(await catalog.guard(intent.partition, intent.study), intent);
}

/**
 * Makes sure of what became of an intent: where it may still be carried out, its study is fenced. It is left open, for
 * its writer or recovery to close, for which the tail of a busy shard has to be won.
 *
 * @param said - what the study row said about it while it was open.
 * @returns `undefined` when its writer has taken it back.
 */
export async function decide(
  parts: VerdictParts,
  intent: LoggedIntent,
  said: Verdict,
): Promise<Settled | undefined> {
  const { partition, study, base, sequence } = intent;
  let verdict = said;
  while (verdict === 'open') {
    await parts.catalog.fence(partition, study, base);
    verdict = await verdictOf(parts, intent);
  }
  if (verdict === 'happened') return verdict;
  const tail = await readTail(parts.tables, shardOfSequence(sequence));
  return tail.open.includes(sequence) ? verdict : await closedAs(parts, sequence);
}

/** What became of an intent that is no longer open; `undefined` when its writer has taken it back. */
export async function closedAs(
  parts: Pick<VerdictParts, 'tables'>,
  sequence: number,
): Promise<Settled | undefined> {
  const closed = await readIntent(parts, sequence);
  return closed === undefined ? undefined : closed.isVoid ? 'void' : 'happened';
}

/** An intent as it is by now. */
export async function readIntent(
  { tables }: Pick<VerdictParts, 'tables'>,
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
  parts: Pick<VerdictParts, 'tables'>,
  sequence: number,
): Promise<boolean> {
  if ((await openAmong(parts.tables, [sequence])).has(sequence)) return false;
  return (await closedAs(parts, sequence)) === 'happened';
}
