/**
 * The one ordered log of every change: write-ahead log and change feed at once. An entry is
 * appended before the catalog commits it and settled, lazily, once its fate is known.
 */
import { ServiceError } from '../../errors.js';
import { chunksOfSize, groupBy } from '../../group-by.js';
import {
  tableLimits,
  type Properties,
  type TableOperation,
  type TableStore,
} from '../table-store.js';
import { backOff } from './back-off.js';
import { Batcher } from './batcher.js';
import {
  logBucketEntries,
  logBucketOf,
  logHeadKey,
  logPartitionKey,
  logRecoveredKey,
  logRowKey,
  logTailRowKey,
} from './keys.js';
import {
  decodeLogEntry,
  encodeLogEntry,
  readBucketTail,
  readTail,
  ticksPerMillisecond,
  type Fate,
  type LogEntry,
  type Tail,
} from './log-entry.js';
import { newUlid } from './ulid.js';

/** An appended entry whose fate is still to be written. */
export interface PendingEntry {
  readonly sequence: number;
  /** Milliseconds since 1970, by the clock of this process. */
  readonly appended: number;
  readonly properties: Properties;
}

interface Settled {
  readonly entry: PendingEntry;
  readonly fate: Fate;
}

/** Cuts fates into what one transaction writes. */
function batchesOf(settled: readonly Settled[]): readonly (readonly Settled[])[] {
  const byBucket = groupBy(settled, ({ entry }) => logBucketOf(entry.sequence));
  return [...byBucket.values()].flatMap((all) =>
    chunksOfSize(all, tableLimits.transactionOperations),
  );
}

/** One operation of each transaction moves the tail. */
const entriesPerTransaction = tableLimits.transactionOperations - 1;
const settleBatch = 50;
const settleAfterMilliseconds = 1000;
const rememberedEntries = 10_000;
/** Recovery runs every five minutes. */
const recoveredAge = 60_000;

export class ChangeLog {
  readonly #tables: TableStore;
  readonly #appends: Batcher<LogEntry, PendingEntry>;
  #tail: Tail | undefined;
  #settling: Settled[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Settles when all fates noted before have been written or given up. */
  #writing = Promise.resolve();
  /** Entries that this process has written as done. */
  readonly #confirmed = new Set<number>();
  /** Up to where recovery had settled the log when this process looked last. */
  #recovered = 0;
  #recoveredRead = 0;

  constructor(tables: TableStore) {
    this.#tables = tables;
    this.#appends = new Batcher({
      flush: async (entries) => await this.#flush(entries),
      fits: (entries) => entries.length < entriesPerTransaction,
    });
  }

  /** Appends a pending entry and answers its place. Concurrent calls share a transaction. */
  async append(entry: LogEntry): Promise<PendingEntry> {
    return await this.#appends.add(entry);
  }

  /**
   * Notes what became of entries. Written later, in batches: until then, and if this process dies,
   * readers and recovery find out from the catalog.
   */
  settle(entries: readonly PendingEntry[], fate: Fate): void {
    for (const entry of entries) this.#settling.push({ entry, fate });
    if (this.#settling.length >= settleBatch) void this.close();
    else {
      this.#timer ??= setTimeout(() => void this.close(), settleAfterMilliseconds);
      this.#timer.unref();
    }
  }

  /**
   * Writes now that entries will never happen, before another attempt at the same change makes the
   * catalog look as if they had.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async abandon(entries: readonly PendingEntry[]): Promise<void> {
    for (const some of batchesOf(entries.map((entry) => ({ entry, fate: 'void' })))) {
      await this.#write(some);
    }
  }

  /**
   * Makes sure that entries are noted as done before what they made is replaced or deleted: the
   * catalog will not be able to tell any more. Up to where recovery has come, all entries are.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async confirm(sequences: readonly number[]): Promise<void> {
    const isUnknown = (sequence: number) =>
      sequence > this.#recovered && !this.#confirmed.has(sequence);
    if (sequences.some(isUnknown)) await this.#readRecovered();
    const unknown = sequences.filter(isUnknown);
    await Promise.all(unknown.map(async (sequence) => await this.#confirmOne(sequence)));
  }

  /** Looks up how far recovery has come, once in a while. */
  async #readRecovered(): Promise<void> {
    if (Date.now() - this.#recoveredRead < recoveredAge) return;
    const row = await this.#tables.get('log', logHeadKey.partitionKey, logRecoveredKey);
    this.#recovered = Number(row?.properties['sequence'] ?? 0);
    this.#recoveredRead = Date.now();
  }

  async #confirmOne(sequence: number): Promise<void> {
    const partitionKey = logPartitionKey(logBucketOf(sequence));
    const row = await this.#tables.get('log', partitionKey, logRowKey(sequence));
    if (row !== undefined && decodeLogEntry(row).state === 'pending') {
      await this.#tables.transact('log', partitionKey, [
        { kind: 'upsert', rowKey: row.rowKey, properties: { ...row.properties, state: 'done' } },
      ]);
    }
    this.#remember(sequence);
  }

  #remember(sequence: number): void {
    this.#confirmed.add(sequence);
    if (this.#confirmed.size <= rememberedEntries) return;
    const [oldest] = this.#confirmed;
    if (oldest !== undefined) this.#confirmed.delete(oldest);
  }

  /** Writes every fate noted so far, and awaits those on their way; for a clean shutdown. */
  async close(): Promise<void> {
    this.#writing = this.#writing.then(async () => await this.#writeFates());
    await this.#writing;
  }

  async #flush(entries: readonly LogEntry[]): Promise<readonly PendingEntry[]> {
    for (let attempt = 0; ; attempt++) {
      const tail = await this.#advance(this.#tail ?? (await readTail(this.#tables)));
      const room = (tail.bucket + 1) * logBucketEntries - tail.next + 1;
      const now = entries.slice(0, room);
      const appended = await this.#appendAt(tail, now);
      if (appended !== undefined) {
        if (now.length === entries.length) return appended;
        return [...appended, ...(await this.#flush(entries.slice(now.length)))];
      }
      this.#tail = undefined;
      await backOff(attempt, 'the change log');
    }
  }

  async #appendAt(
    tail: Tail,
    entries: readonly LogEntry[],
  ): Promise<readonly PendingEntry[] | undefined> {
    const next = tail.next + entries.length;
    const now = BigInt(Date.now()) * ticksPerMillisecond;
    // Every entry later than the one before it, whatever the clocks of the writers say.
    const first = now > tail.ticks ? now : tail.ticks + 1n;
    // The id tells an entry from one like it that another process appends.
    const encoded = entries.map((entry, index) => ({
      ...encodeLogEntry(entry, first + BigInt(index)),
      id: newUlid(),
    }));
    const ticks = first + BigInt(entries.length - 1);
    const tailProperties = { next: BigInt(next), ticks };
    const operations: TableOperation[] = [
      tail.etag === undefined
        ? { kind: 'insert', rowKey: logTailRowKey, properties: tailProperties }
        : { kind: 'replace', rowKey: logTailRowKey, properties: tailProperties, etag: tail.etag },
      ...encoded.map((properties, index) => ({
        kind: 'insert' as const,
        rowKey: logRowKey(tail.next + index),
        properties,
      })),
    ];
    // Forgotten until the transaction is known to have happened.
    this.#tail = undefined;
    const outcome = await this.#transact(tail, operations, encoded[0]);
    if (outcome === undefined) return undefined;
    const [tailEtag] = outcome;
    if (tailEtag !== undefined) this.#tail = { ...tail, next, ticks, etag: tailEtag };
    return encoded.map((properties, index) => ({
      sequence: tail.next + index,
      appended: Date.now(),
      properties,
    }));
  }

  /** The new ETags; none when the transaction happened but its answer was lost; `undefined` for a lost race. */
  async #transact(
    tail: Tail,
    operations: readonly TableOperation[],
    first: { readonly id: string } | undefined,
  ): Promise<readonly (string | undefined)[] | undefined> {
    const partitionKey = logPartitionKey(tail.bucket);
    try {
      const outcome = await this.#tables.transact('log', partitionKey, operations);
      return outcome.committed ? outcome.etags : undefined;
    } catch (error) {
      // The answer may be lost although the write happened: our entry is there, or it is not.
      const there = await this.#tables.get('log', partitionKey, logRowKey(tail.next));
      if (first !== undefined && there?.properties['id'] === first.id) return [];
      throw error;
    }
  }

  /** Moves on to the next bucket when this one is full. */
  async #advance(tail: Tail): Promise<Tail> {
    const bucket = logBucketOf(tail.next);
    if (bucket === tail.bucket) return tail;
    await this.#tables.transact('log', logHeadKey.partitionKey, [
      { kind: 'upsert', rowKey: logHeadKey.rowKey, properties: { bucket } },
    ]);
    return await this.#advance(await readBucketTail(this.#tables, bucket, tail));
  }

  async #writeFates(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const settling = this.#settling;
    this.#settling = [];
    for (const some of batchesOf(settling)) {
      try {
        await this.#write(some);
        for (const { entry, fate } of some) if (fate === 'done') this.#remember(entry.sequence);
      } catch (error) {
        // A fate that could not be written is found out again from the catalog.
        if (!(error instanceof ServiceError)) throw error;
      }
    }
  }

  /** Writes the fates of a batch. */
  async #write(batch: readonly Settled[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    await this.#tables.transact(
      'log',
      logPartitionKey(logBucketOf(first.entry.sequence)),
      batch.map(({ entry, fate }) => ({
        kind: 'upsert',
        rowKey: logRowKey(entry.sequence),
        properties: { ...entry.properties, state: fate },
      })),
    );
  }
}
