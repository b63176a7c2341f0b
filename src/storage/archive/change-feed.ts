/**
 * The log as a change feed: only what happened, in order, and never past an entry that may still
 * happen. Whoever has read up to a sequence has seen every change that will ever carry a smaller one.
 */
import type { InstanceUids } from '../../dicom/uid.js';
import { rowPages } from '../row-pages.js';
import type { TableStore } from '../table-store.js';
import type { Catalog } from './catalog.js';
import { decodeLogEntry, readTail, type LoggedEntry, type LogTiming } from './log-entry.js';
import { logBucketEntries, logBucketOf, logPartitionKey, logRowKey } from './keys.js';
import { instanceProperties, type InstanceRecord } from './records.js';

/** Whether a change happened, never will, or still may. */
export type Settlement = 'happened' | 'void' | 'open';

/** After every row key of an entry, before that of the tail. */
const afterEntries = ':';

export class ChangeFeed {
  readonly #tables: TableStore;
  readonly #catalog: Catalog;
  readonly #timing: LogTiming;

  constructor(tables: TableStore, catalog: Catalog, timing: LogTiming) {
    this.#tables = tables;
    this.#catalog = catalog;
    this.#timing = timing;
  }

  /**
   * The entries from a sequence on, as the log has them, in order.
   *
   * @param pageRows - rows of the first call of each bucket.
   */
  async *entries(from: number, pageRows: number): AsyncGenerator<LoggedEntry, void, undefined> {
    let next = Math.max(from, 1);
    for (;;) {
      const bucket = logBucketOf(next);
      let last = next - 1;
      const range = {
        partitionKey: logPartitionKey(bucket),
        from: logRowKey(next),
        to: afterEntries,
      };
      const pages = rowPages(this.#tables, 'log', range, { firstPageRows: pageRows });
      for await (const { rows } of pages) {
        for (const entity of rows) {
          const entry = decodeLogEntry(entity);
          last = entry.sequence;
          yield entry;
        }
      }
      // A bucket that is not full is the last one.
      if (last < (bucket + 1) * logBucketEntries) return;
      next = last + 1;
    }
  }

  /** The changes from a sequence on; ends before the first that may still happen. */
  async *changes(from: number, wanted: number): AsyncGenerator<LoggedEntry, void, undefined> {
    for await (const entry of this.entries(from, wanted + 8)) {
      const settlement = await this.settlementOf(entry);
      if (settlement === 'open') return;
      if (settlement === 'happened') yield entry;
    }
  }

  /** What became of an entry: as noted, or else as the catalog shows it. */
  async settlementOf(entry: LoggedEntry): Promise<Settlement> {
    if (entry.state !== 'pending') return entry.state === 'done' ? 'happened' : 'void';
    const now = await this.current(entry);
    const happened =
      entry.action === 'Delete'
        ? // A delete happened unless the instance has been there since before it.
          now === undefined || now.since > entry.sequence
        : // An attempt that lost its race has an entry of the same version.
          now?.version === entry.version && now.sequence === entry.sequence;
    if (happened && entry.action !== 'Delete') return 'happened';
    // A lost attempt at the delete has been noted as void before the one that was committed.
    if (happened) return (await this.#again(entry))?.state === 'void' ? 'void' : 'happened';
    return this.isLeased(entry) ? 'open' : await this.#settledSince(entry);
  }

  /**
   * What became of an entry that has outlived its lease and does not show in the catalog. It may have
   * been noted as done since it was read, before what it made was replaced. That a delete never
   * happened is noted: the next delete would make it look as if it had.
   */
  async #settledSince(entry: LoggedEntry): Promise<Settlement> {
    const now = await this.#again(entry);
    if (now?.state === 'done') return 'happened';
    if (now?.state !== 'pending' || entry.action !== 'Delete') return 'void';
    const properties = { ...now.properties, state: 'void' };
    const partitionKey = logPartitionKey(logBucketOf(entry.sequence));
    const { committed } = await this.#tables.transact('log', partitionKey, [
      { kind: 'replace', rowKey: logRowKey(entry.sequence), properties, etag: now.etag },
    ]);
    return committed ? 'void' : await this.#settledSince(entry);
  }

  /** An entry as it is by now: the page that it came in may be older than what the catalog shows. */
  async #again({ sequence }: LoggedEntry): Promise<LoggedEntry | undefined> {
    const partitionKey = logPartitionKey(logBucketOf(sequence));
    const row = await this.#tables.get('log', partitionKey, logRowKey(sequence));
    return row && decodeLogEntry(row);
  }

  /** Whether a pending entry may still have a writer. */
  isLeased({ time }: LoggedEntry): boolean {
    return Date.now() - time < this.#timing.leaseMilliseconds;
  }

  /** The instance that an entry is about, as it is now. */
  async current(entry: LoggedEntry): Promise<InstanceRecord | undefined> {
    const uids: InstanceUids = entry;
    return (await this.#catalog.instance(entry.partition, uids, instanceProperties))?.record;
  }

  /** The last change that happened; `undefined` when there is none. */
  async latest(): Promise<LoggedEntry | undefined> {
    const { next } = await readTail(this.#tables);
    for (let before = next; before > 1;) {
      const from = Math.max(before - 100, 1);
      let latest: LoggedEntry | undefined;
      for await (const entry of this.entries(from, before - from)) {
        if (entry.sequence >= before) break;
        const settlement = await this.settlementOf(entry);
        // What may still happen hides everything behind it.
        if (settlement === 'open') break;
        if (settlement === 'happened') latest = entry;
      }
      if (latest !== undefined) return latest;
      before = from;
    }
    return undefined;
  }

  /** The first sequence whose entry is not older than a time: times ascend with sequences. */
  async firstSequenceFrom(time: number): Promise<number> {
    const { next } = await readTail(this.#tables);
    let low = 1;
    let high = next;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const row = await this.#tables.get(
        'log',
        logPartitionKey(logBucketOf(middle)),
        logRowKey(middle),
      );
      const isBefore = row !== undefined && decodeLogEntry(row).time < time;
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
