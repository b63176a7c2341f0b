/** The fourth pass: the entries of every shard of the log can be read, are settled in time, and fit its tail. */
import { timeBudgets } from '../../../time-budgets.js';
import { rowPages } from '../../row-pages.js';
import { decodeIntent } from '../log/intent.js';
import { intentRows, logPartitionKey, logRowKey } from '../keys.js';
import { readTail, readTails, type Tail } from '../log/log-tail.js';
import { shardOfSequence } from '../log/sequence.js';
import type { CheckContext } from './check-context.js';
import type { Finding } from './finding.js';

/** What the tail of a shard must say, by the entries that are there. */
interface Entries {
  /** The newest; 0 when there is none. */
  readonly newest: number;
  /** Those that the tail names as open. */
  readonly open: ReadonlySet<number>;
}

export function fits(tail: Tail, { newest, open }: Entries): boolean {
  return (
    tail.last >= newest &&
    tail.newest >= newest &&
    tail.open.every((sequence) => open.has(sequence))
  );
}

/** The tail of a shard as its entries want it. */
export function mendedTail(tail: Tail, { newest, open }: Entries): Partial<Tail> {
  return {
    last: Math.max(tail.last, newest),
    newest: Math.max(tail.newest, newest),
    open: tail.open.filter((sequence) => open.has(sequence)),
  };
}

/** Looks through the entries of a shard. */
export async function readEntries(
  { tables }: Pick<CheckContext, 'tables'>,
  tail: Tail,
  onUnreadable: (sequence: number) => void = () => undefined,
): Promise<Entries> {
  const named = new Set(tail.open);
  const open = new Set<number>();
  let newest = 0;
  for await (const { rows } of rowPages(tables, 'log', intentRows(tail.shard, 0))) {
    for (const entity of rows) {
      const sequence = Number(entity.rowKey);
      try {
        const { changes } = decodeIntent(entity);
        if (changes.length === 0 || shardOfSequence(sequence) !== tail.shard)
          onUnreadable(sequence);
      } catch {
        onUnreadable(sequence);
      }
      if (named.has(sequence)) open.add(sequence);
      newest = Math.max(newest, sequence);
    }
  }
  return { newest, open };
}

/** What is amiss in the log. */
export async function* checkLog(context: CheckContext): AsyncGenerator<Finding> {
  const { tables } = context;
  const tails = await readTails(tables);
  for (const tail of tails) {
    const { shard } = tail;
    const unreadable: number[] = [];
    const entries = await readEntries(context, tail, (sequence) => unreadable.push(sequence));
    for (const sequence of unreadable) {
      const where = `log ${sequence}`;
      yield { kind: 'row-unreadable', where, detail: '', target: { kind: 'none' } };
    }
    const now = await readTail(tables, shard);
    // Entries that were appended or settled meanwhile have changed the tail.
    if (!fits(tail, entries) && now.etag === tail.etag) {
      const target = { kind: 'log-tail', shard } as const;
      yield { kind: 'log-tail-wrong', where: `log shard ${shard}`, detail: '', target };
    }
    for (const sequence of now.open.filter((one) => entries.open.has(one))) {
      const row = await tables.get('log', logPartitionKey(shard), logRowKey(sequence));
      const age = tables.now() - (row?.timestamp ?? Infinity);
      if (age < timeBudgets.overdueIntent) continue;
      const target = { kind: 'log-entry', sequence } as const;
      const detail = `for ${Math.floor(age / 1000)} s`;
      yield { kind: 'log-entry-pending', where: `log ${sequence}`, detail, target };
    }
    context.progress('log', shard + 1);
  }
}
