/** The fourth pass: the log is without holes, in order, settled in time, and ends at its tail. */
import {
  logBucketEntries,
  logBucketOf,
  logHeadKey,
  logPartitionKey,
  logRowKey,
  logTailRowKey,
} from '../keys.js';
import { leaseMilliseconds, readBucketTail, ticksPerMillisecond, type Tail } from '../log-entry.js';
import type { CheckContext } from './check-context.js';
import type { Finding } from './finding.js';
import { rowsInRange } from './pages.js';

/** After the RowKeys of entries, before that of the tail. */
const afterEntries = ':';
/** Entries between two reports of progress. */
const reportEvery = 1000;

interface EntryLine {
  readonly sequence: number;
  readonly ticks: bigint;
  readonly state: unknown;
}

/** The entries of a bucket from a sequence on, as far as the check reads them. */
export async function* entryLines(
  { tables }: Pick<CheckContext, 'tables'>,
  bucket: number,
  from: number,
): AsyncGenerator<EntryLine, void, undefined> {
  const range = { partitionKey: logPartitionKey(bucket), from: logRowKey(from), to: afterEntries };
  for await (const { rowKey, properties } of rowsInRange(tables, 'log', range, [
    'state',
    'ticks',
  ])) {
    const ticks = BigInt(String(properties['ticks'] ?? 0));
    yield { sequence: Number(rowKey), ticks, state: properties['state'] };
  }
}

async function isStillPending({ tables }: CheckContext, sequence: number): Promise<boolean> {
  const partitionKey = logPartitionKey(logBucketOf(sequence));
  const row = await tables.get('log', partitionKey, logRowKey(sequence), { select: ['state'] });
  return row?.properties['state'] === 'pending';
}

function gap(from: number, to: number): Finding {
  const where = from === to ? `log ${from}` : `log ${from}-${to}`;
  return { kind: 'log-gap', where, detail: `${to - from + 1} missing`, target: { kind: 'none' } };
}

/** Whether new entries can be appended behind those that are there. */
function isBehind(tail: Tail, last: EntryLine): boolean {
  return tail.next > last.sequence && tail.ticks >= last.ticks;
}

async function bucketHasTail({ tables }: CheckContext, bucket: number): Promise<boolean> {
  const row = await tables.get('log', logPartitionKey(bucket), logTailRowKey, { select: [] });
  return row !== undefined;
}

/** What is amiss in the log. */
export async function* checkLog(context: CheckContext): AsyncGenerator<Finding> {
  const { tables, now } = context;
  const head = await tables.get('log', logHeadKey.partitionKey, logHeadKey.rowKey);
  const known = Number(head?.properties['bucket'] ?? 0);
  let last: EntryLine = { sequence: 0, ticks: 0n, state: 'done' };
  for (let bucket = 0; bucket <= known || (await bucketHasTail(context, bucket)); bucket++) {
    // Before the entries: those before the tail are there when it is.
    const tail = await readBucketTail(tables, bucket);
    const first = bucket * logBucketEntries + 1;
    if (first > last.sequence + 1) yield gap(last.sequence + 1, first - 1);
    last = { ...last, sequence: first - 1 };
    for await (const line of entryLines(context, bucket, first)) {
      if (line.sequence > last.sequence + 1) yield gap(last.sequence + 1, line.sequence - 1);
      const where = `log ${line.sequence}`;
      if (line.ticks <= last.ticks) {
        yield { kind: 'log-order', where, detail: '', target: { kind: 'none' } };
      }
      const age = now() - Number(line.ticks / ticksPerMillisecond);
      const isOverdue = line.state === 'pending' && age >= leaseMilliseconds;
      if (isOverdue && (await isStillPending(context, line.sequence))) {
        const target = { kind: 'log-entry', sequence: line.sequence } as const;
        const detail = `for ${Math.floor(age / 1000)} s`;
        yield { kind: 'log-entry-pending', where, detail, target };
      }
      last = line;
      if (line.sequence % reportEvery === 0) context.progress('log', line.sequence);
    }
    const hasEntries = last.sequence >= first;
    if (tail.next > last.sequence + 1) {
      yield gap(last.sequence + 1, tail.next - 1);
      last = { ...last, sequence: tail.next - 1 };
    }
    // Entries appended since the tail was read have moved it.
    const isWrong =
      hasEntries && !isBehind(tail, last) && !isBehind(await readBucketTail(tables, bucket), last);
    if (isWrong) {
      const target = { kind: 'log-tail', bucket, last: last.sequence } as const;
      yield { kind: 'log-tail-wrong', where: `log bucket ${bucket}`, detail: '', target };
    }
  }
  context.progress('log', last.sequence);
}
