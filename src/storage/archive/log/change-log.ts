/**
 * The log as one process writes it: it appends intents to a shard of its own choice, and notes there
 * which of them it has done with. Whatever waits goes out together, in one transaction with the tail.
 */
import { ServiceError } from '../../../errors.js';
import { timeBudgets } from '../../../time-budgets.js';
import type { Runtime } from '../../runtime.js';
import { tableLimits, type TableOperation, type TableStore } from '../../table-store.js';
import { backOff } from '../../back-off.js';
import { Batcher } from '../batcher.js';
import { encodeIntent, type Intent } from './intent.js';
import { logPartitionKey, logRowKey } from '../keys.js';
import { readTail, tailOperation, type Tail } from './log-tail.js';
import { firstSequenceOf, sequenceAfter, sequenceStride, shardOfSequence } from './sequence.js';
import { added } from './totals.js';

/** An intent that has its place in the log. */
export interface Appended {
  readonly intent: Intent;
  /** Of its last change. */
  readonly sequence: number;
}

interface Append {
  readonly intent: Intent;
  /** Changes of the study up to here have happened before. */
  readonly after: number;
  /** A lost attempt whose leavings this one takes over. */
  readonly before: number | undefined;
  /** The version of the query tags that the commit was planned with. */
  readonly tags: number;
}

type Work = Append | 'close';
type Result = Appended | 'outdated' | 'gone' | 'closed';

interface Placed {
  readonly append: Append;
  readonly sequence: number;
  readonly insert: TableOperation;
}

/** One transaction on the shard. */
interface Move {
  readonly change: Partial<Tail>;
  readonly placed: readonly Placed[];
  /** Rows of lost attempts that go. */
  readonly deleted: readonly number[];
  readonly left: readonly number[];
}

const mostBytes = tableLimits.transactionBytes * 0.6;
/** So many lost attempts without a successor go with one transaction, beside those that have one. */
const mostDropped = 20;
/** Open intents of a shard, at most: their number bounds the row of the tail. */
const mostOpen = 1500;
/** Sent again after silence for about a quarter of a minute, beside what each sending takes. */
const mostSendings = 6;

function isAppend(work: Work): work is Append {
  return work !== 'close';
}

function bytesOf({ intent }: Append): number {
  // Compression makes it less; keys and framing more.
  return 2048 + intent.changes.length * 300 + intent.rows.length * 200;
}

function fits(batch: readonly Work[], next: Work): boolean {
  const appends = [...batch, next].filter(isAppend);
  const rows = appends.reduce((sum, { before }) => sum + (before === undefined ? 1 : 2), 1);
  const bytes = appends.reduce((sum, append) => sum + bytesOf(append), 0);
  return rows + mostDropped <= tableLimits.transactionOperations && bytes <= mostBytes;
}

export class ChangeLog {
  readonly #tables: TableStore;
  readonly #runtime: Runtime;
  readonly #work: Batcher<Work, Result>;
  /** The tail as this process left it. */
  #tail: Tail | undefined;
  /** The tail as this process saw it last: perhaps no longer as it is. */
  #seen: Tail | undefined;
  /** Intents of this process that are done with: those that were carried out, or whose rows go. */
  readonly #leaving = new Map<number, Intent | 'goes'>();
  #isClosing = false;

  constructor(tables: TableStore, runtime: Runtime) {
    this.#tables = tables;
    this.#runtime = runtime;
    this.#work = new Batcher<Work, Result>({
      flush: async (batch) => await this.#flush(batch),
      fits,
    });
  }

  /**
   * Appends an intent; concurrent calls share a transaction.
   *
   * @param after - sequence of the last change of the study.
   * @param before - a lost attempt at the same, whose files and index rows this one takes over.
   * @param tags - the version of the query tags that the commit was planned with.
   * @returns `outdated` when there is a later version, which the shard says has to be known: nothing is
   *   appended; `undefined` when somebody else has begun to clear away what the lost attempt left.
   * @throws ServiceError `storage-unavailable`: it may be in the log, and is never committed.
   */
  async append(
    intent: Intent,
    after: number,
    before?: Appended,
    tags = 0,
  ): Promise<Appended | 'outdated' | undefined> {
    const result = await this.#work.add({ intent, after, before: before?.sequence, tags });
    return result === 'gone' || result === 'closed' ? undefined : result;
  }

  /** Nothing is left to be done about an intent that was carried out: noted with the next append, or soon. */
  finished({ sequence, intent }: Appended): void {
    this.#leave(sequence, intent);
  }

  /** An intent will not be carried out, and nothing of it is left: its row goes. */
  dropped({ sequence }: Appended): void {
    this.#leave(sequence, 'goes');
  }

  /** Whether the log is known to say by itself what became of an intent. */
  isClosed(sequence: number): boolean {
    const seen = this.#seen;
    return (
      seen !== undefined &&
      shardOfSequence(sequence) === seen.shard &&
      sequence <= seen.last &&
      !seen.open.includes(sequence)
    );
  }

  #leave(sequence: number, as: Intent | 'goes'): void {
    this.#leaving.set(sequence, as);
    if (this.#isClosing) return;
    this.#isClosing = true;
    void this.#closeLater();
  }

  async #closeLater(): Promise<void> {
    await this.#runtime.rest(timeBudgets.closeIntents);
    this.#isClosing = false;
    await this.close();
  }

  /** Notes now what is done with; for a clean shutdown. What cannot be noted is left to recovery. */
  async close(): Promise<void> {
    if (this.#leaving.size === 0 && this.#work.idle) return;
    try {
      await this.#work.add('close');
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }

  async #flush(batch: readonly Work[]): Promise<readonly Result[]> {
    const results = new Map<Work, Result>();
    let left = batch.filter(isAppend);
    for (let attempt = 0; left.length > 0 || this.#leaving.size > 0; attempt++) {
      const tail = this.#tail ?? (await this.#readTail());
      for (const append of left) if (append.tags < tail.tags) results.set(append, 'outdated');
      left = left.filter((append) => append.tags >= tail.tags);
      if (left.length === 0 && this.#leaving.size === 0) {
        this.#tail = tail;
        break;
      }
      const move = this.#plan(tail, left);
      const outcome = await this.#send(tail, move);
      if (outcome === 'moved') {
        for (const { append, sequence } of move.placed) {
          results.set(append, { intent: append.intent, sequence });
        }
        break;
      }
      if (outcome === 'lost') {
        await backOff(this.#runtime, attempt);
        continue;
      }
      // A row that was to go is gone already.
      const gone = left.find(({ before }) => before === outcome.gone);
      this.#leaving.delete(outcome.gone);
      if (gone !== undefined) results.set(gone, 'gone');
      left = left.filter((append) => append !== gone);
    }
    return batch.map((work) => results.get(work) ?? 'closed');
  }

  /** Where the intents go, and what else the tail then says. */
  #plan(tail: Tail, appends: readonly Append[]): Move {
    if (tail.open.length > mostOpen) {
      throw new ServiceError('overloaded', 'The change log waits to be settled. Try again.');
    }
    const dropped = [...this.#leaving].filter(([, as]) => as === 'goes').map(([one]) => one);
    const dropping = dropped.slice(0, mostDropped);
    const happened = [...this.#leaving].flatMap(([sequence, as]) => {
      return as === 'goes' ? [] : [{ sequence, intent: as }];
    });
    const before = appends.flatMap((append) => append.before ?? []);
    const leaving = [...happened.map(({ sequence }) => sequence), ...dropping];
    let last = tail.last;
    const placed = appends.map((append): Placed => {
      const { intent, after } = append;
      const now = firstSequenceOf(this.#tables.now());
      const first = sequenceAfter(Math.max(last, after, now), tail.shard);
      const sequence = first + (intent.changes.length - 1) * sequenceStride;
      last = sequence;
      const insert: TableOperation = {
        kind: 'insert',
        rowKey: logRowKey(sequence),
        properties: encodeIntent(intent),
      };
      return { append, sequence, insert };
    });
    const gone = new Set([...leaving, ...before]);
    const open = [
      ...tail.open.filter((sequence) => !gone.has(sequence)),
      ...placed.map(({ sequence }) => sequence),
    ];
    const newest = placed.at(-1)?.sequence ?? tail.newest;
    // What others have closed, they have counted.
    const totals =
      tail.totals &&
      added(
        tail.totals,
        happened
          .filter(({ sequence }) => tail.open.includes(sequence))
          .map(({ intent }) => [intent.partition, intent.totals] as const),
      );
    return {
      change: { last, newest, open, totals },
      placed,
      deleted: [...before, ...dropping],
      left: leaving,
    };
  }

  /** Whether the shard has moved, another writer was faster, or a row that was to go is not there. */
  async #send(tail: Tail, move: Move): Promise<'moved' | 'lost' | { readonly gone: number }> {
    const { change, placed, deleted } = move;
    const partitionKey = logPartitionKey(tail.shard);
    const operations: readonly TableOperation[] = [
      tailOperation(tail, change),
      ...placed.map(({ insert }) => insert),
      ...deleted.map((sequence) => ({ kind: 'delete', rowKey: logRowKey(sequence) }) as const),
    ];
    // Forgotten until the transaction is known to have happened.
    this.#tail = undefined;
    let unanswered = false;
    for (let sending = 1; ; sending++) {
      try {
        const outcome = await this.#tables.transact('log', partitionKey, operations);
        if (outcome.committed) {
          this.#moved({ ...tail, ...change, etag: outcome.etags[0] }, move);
          return 'moved';
        }
        if (!unanswered) {
          const gone = deleted[(outcome.index ?? 0) - 1 - placed.length];
          return gone === undefined ? 'lost' : { gone };
        }
      } catch (error) {
        const isSilent = error instanceof ServiceError && error.code === 'storage-unavailable';
        if (!isSilent || sending === mostSendings) throw error;
        unanswered = true;
        await backOff(this.#runtime, sending + 3);
      }
      // It happened, it still may, or the tail has been moved under it and it never will.
      const now = await readTail(this.#tables, tail.shard);
      if (now.etag === tail.etag && sending < mostSendings) continue;
      if (!(await this.#isThere(partitionKey, placed[0]))) return 'lost';
      this.#moved(now, move);
      return 'moved';
    }
  }

  /** Notes where the shard ends now. */
  #moved(tail: Tail, { left }: Move): void {
    this.#tail = tail;
    this.#seen = tail;
    for (const sequence of left) this.#leaving.delete(sequence);
  }

  async #isThere(partitionKey: string, placed: Placed | undefined): Promise<boolean> {
    if (placed === undefined) return false;
    const row = await this.#tables.get('log', partitionKey, logRowKey(placed.sequence), {
      select: ['id'],
    });
    return row?.properties['id'] === placed.append.intent.id;
  }

  async #readTail(): Promise<Tail> {
    const tail =
      this.#seen === undefined
        ? await this.#choose()
        : await readTail(this.#tables, this.#seen.shard);
    this.#seen = tail;
    return tail;
  }

  /** Of two shards the one that has been idle for longer, so that processes spread over them. */
  async #choose(): Promise<Tail> {
    const { random } = this.#runtime;
    const first = await readTail(this.#tables, 0);
    if (first.shards === 1) return first;
    const some = [0, 1].map(() => Math.floor(random() * first.shards));
    const tails = await Promise.all(some.map(async (shard) => await readTail(this.#tables, shard)));
    // Only `growLog` makes tails.
    const there = tails.filter(({ etag }) => etag !== undefined);
    return there.sort((a, b) => a.timestamp - b.timestamp)[0] ?? first;
  }
}
