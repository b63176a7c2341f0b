/**
 * The one ordered log of every change: write-ahead log and change feed at once. An entry is
 * appended before the catalog commits it and settled, lazily, once its fate is known.
 */
import type { InstanceUids } from '../../dicom/uid.js';
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
  logRowKey,
  logTailRowKey,
  type Partition,
} from './keys.js';
import type { Ulid } from './ulid.js';

export type LogAction = 'Create' | 'Delete';

export interface LogEntry extends InstanceUids {
  readonly partition: Partition;
  readonly action: LogAction;
  /** The version of the instance that is created or deleted. */
  readonly version: Ulid;
}

/** `done`: it happened. `void`: it never will. */
export type Fate = 'done' | 'void';

interface Appended {
  readonly sequence: number;
  readonly etag: string | undefined;
}

/** An appended entry whose fate is still to be written. */
export interface PendingEntry extends Appended {
  readonly properties: Properties;
}

interface Tail {
  readonly bucket: number;
  /** The sequence number of the next entry. */
  readonly next: number;
  /** `undefined` when the bucket has no tail row yet. */
  readonly etag: string | undefined;
}

/** One operation of each transaction moves the tail. */
const entriesPerTransaction = tableLimits.transactionOperations - 1;
const settleBatch = 50;
const settleAfterMilliseconds = 1000;

function encode(entry: LogEntry): Properties {
  return { ...entry, state: 'pending', at: new Date().toISOString() };
}

export class ChangeLog {
  readonly #tables: TableStore;
  readonly #appends: Batcher<LogEntry, PendingEntry>;
  #tail: Tail | undefined;
  #settling: { readonly entry: PendingEntry; readonly fate: Fate }[] = [];
  #timer: NodeJS.Timeout | undefined;

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
    if (this.#settling.length >= settleBatch) void this.#writeFates();
    else {
      this.#timer ??= setTimeout(() => void this.#writeFates(), settleAfterMilliseconds);
      this.#timer.unref();
    }
  }

  /** Writes every noted fate; for a clean shutdown. */
  async close(): Promise<void> {
    await this.#writeFates();
  }

  async #flush(entries: readonly LogEntry[]): Promise<readonly PendingEntry[]> {
    for (let attempt = 0; ; attempt++) {
      const tail = this.#tail ?? (await this.#readTail());
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
    const encoded = entries.map(encode);
    const tailProperties = { next: BigInt(next) };
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
    const outcome = await this.#transact(tail, operations, entries[0]?.version);
    if (outcome === undefined) return undefined;
    const [tailEtag, ...etags] = outcome;
    if (tailEtag !== undefined) this.#tail = await this.#advance({ ...tail, next, etag: tailEtag });
    return encoded.map((properties, index) => ({
      sequence: tail.next + index,
      etag: etags[index],
      properties,
    }));
  }

  /** The new ETags; none when the transaction happened but its answer was lost; `undefined` for a lost race. */
  async #transact(
    tail: Tail,
    operations: readonly TableOperation[],
    version: Ulid | undefined,
  ): Promise<readonly (string | undefined)[] | undefined> {
    const partitionKey = logPartitionKey(tail.bucket);
    try {
      const outcome = await this.#tables.transact('log', partitionKey, operations);
      return outcome.committed ? outcome.etags : undefined;
    } catch (error) {
      // The answer may be lost although the write happened: our entry is there, or it is not.
      const first = await this.#tables.get('log', partitionKey, logRowKey(tail.next));
      if (version !== undefined && first?.properties['version'] === version) return [];
      throw error;
    }
  }

  async #readTail(): Promise<Tail> {
    const head = await this.#tables.get('log', logHeadKey.partitionKey, logHeadKey.rowKey);
    const bucket = Number(head?.properties['bucket'] ?? 0);
    const row = await this.#tables.get('log', logPartitionKey(bucket), logTailRowKey);
    const next = Number(row?.properties['next'] ?? bucket * logBucketEntries + 1);
    return await this.#advance({ bucket, next, etag: row?.etag });
  }

  /** Moves on to the next bucket when this one is full. */
  async #advance(tail: Tail): Promise<Tail> {
    const bucket = logBucketOf(tail.next);
    if (bucket === tail.bucket) return tail;
    await this.#tables.transact('log', logHeadKey.partitionKey, [
      { kind: 'upsert', rowKey: logHeadKey.rowKey, properties: { bucket } },
    ]);
    const row = await this.#tables.get('log', logPartitionKey(bucket), logTailRowKey);
    const next = Number(row?.properties['next'] ?? tail.next);
    return await this.#advance({ bucket, next, etag: row?.etag });
  }

  async #writeFates(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const settling = this.#settling;
    this.#settling = [];
    const byBucket = groupBy(settling, ({ entry }) => logBucketOf(entry.sequence));
    for (const [bucket, all] of byBucket) {
      for (const some of chunksOfSize(all, tableLimits.transactionOperations)) {
        const operations = some.map(({ entry, fate }) => ({
          kind: 'upsert' as const,
          rowKey: logRowKey(entry.sequence),
          properties: { ...entry.properties, state: fate },
        }));
        try {
          await this.#tables.transact('log', logPartitionKey(bucket), operations);
        } catch (error) {
          // A fate that could not be written is found out again from the catalog.
          if (!(error instanceof ServiceError)) throw error;
        }
      }
    }
  }
}
