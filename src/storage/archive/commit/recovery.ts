/**
 * Recovery: settles what writers left open when they died, and clears away what changes left behind.
 * Several may run at once, beside live traffic.
 */
import { chunksOfSize } from '../../../group-by.js';
import { rowPages } from '../../row-pages.js';
import { intentRows, logClearedKey, logHeadPartition } from '../keys.js';
import { readTails, type Tail } from '../log/log-tail.js';
import { firstSequenceOf } from '../log/sequence.js';
import { readIntent, verdictOf } from '../log/verdict.js';
import { clear, settle, type SettleParts } from './settle.js';

export interface RecoveryReport {
  /** Intents that had been carried out, and whose writer had not said so. */
  readonly finished: number;
  /** Intents that never will be. */
  readonly undone: number;
  /** Intents whose leavings have been cleared away. */
  readonly cleared: number;
}

const atOnce = 16;
/** Rows of a shard that are looked through for leavings in one run. */
const rowsPerRun = 50_000;

/**
 * Settles and clears what is due.
 *
 * @throws ServiceError `storage-unavailable`; the next run goes on where this one got to.
 */
export async function recover(parts: SettleParts): Promise<RecoveryReport> {
  const tails = await readTails(parts.tables);
  const open = tails.flatMap((tail) => tail.open);
  let finished = 0;
  let undone = 0;
  for (const some of chunksOfSize(open, atOnce)) {
    const outcomes = await Promise.all(
      some.map(async (sequence) => {
        return (await isDue(parts, sequence)) ? await settle(parts, sequence) : undefined;
      }),
    );
    finished += outcomes.filter((outcome) => outcome === 'happened').length;
    undone += outcomes.filter((outcome) => outcome === 'void').length;
  }
  let cleared = 0;
  for (const some of chunksOfSize(tails, atOnce)) {
    const counts = await Promise.all(some.map(async (tail) => await clearShard(parts, tail)));
    cleared += counts.reduce((sum, count) => sum + count, 0);
  }
  return { finished, undone, cleared };
}

/** Whether an intent is to be settled by others than its writer. */
async function isDue(parts: SettleParts, sequence: number): Promise<boolean> {
  const { tables, timing } = parts;
  const intent = await readIntent(parts, sequence);
  if (intent === undefined) return false;
  const age = tables.now() - intent.timestamp;
  if (age >= timing.finishIntent) return true;
  if (age < timing.settleIntent) return false;
  return (await verdictOf(parts, intent)) !== 'happened';
}

/** Clears what the intents of a shard have left behind that are old enough; answers how many that were. */
async function clearShard(parts: SettleParts, { shard, open, newest }: Tail): Promise<number> {
  const { tables, timing } = parts;
  const key = logClearedKey(shard);
  const row = await tables.get('log', logHeadPartition, key);
  const start = Number(row?.properties['sequence'] ?? 0);
  const latest = tables.now() - timing.keepLeavings;
  // What is open is not settled, and what was noted as void lately may still be taken over.
  const end = Math.min(firstSequenceOf(latest), newest + 1, ...open);
  let reached = start;
  let cleared = 0;
  let rows = 0;
  const range = intentRows(shard, start + 1, end - 1);
  if (end > start + 1) {
    for await (const page of rowPages(tables, 'log', range, { select: ['clear'] })) {
      for (const { rowKey, timestamp, properties } of page.rows) {
        if (properties['clear'] !== true) continue;
        if (timestamp > latest) return await note();
        const intent = await readIntent(parts, Number(rowKey));
        if (intent !== undefined) await clear(parts, intent);
        cleared++;
        reached = Number(rowKey);
      }
      reached = Number(page.rows.at(-1)?.rowKey ?? reached);
      rows += page.rows.length;
      if (rows >= rowsPerRun) break;
    }
  }
  return await note();

  async function note(): Promise<number> {
    if (reached > start) {
      await tables.transact('log', logHeadPartition, [
        { kind: 'upsert', rowKey: key, properties: { sequence: BigInt(reached) } },
      ]);
    }
    return cleared;
  }
}
