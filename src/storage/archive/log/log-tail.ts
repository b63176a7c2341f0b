/**
 * The tails of the log: per shard where it ends and which of its intents are still open. Whoever has
 * made sure that every tail has passed a sequence will never meet a change before it.
 */
import type { Entity, Properties, TableOperation, TableStore } from '../../table-store.js';
import { logPartitionKey, logTailRowKey } from '../keys.js';
import { backOff } from '../../back-off.js';
import type { Runtime } from '../../runtime.js';
import { mostLogShards } from './sequence.js';
import { decodePartitionTotals, encodePartitionTotals, type PartitionTotals } from './totals.js';

/** The tail of one shard. */
export interface Tail {
  readonly shard: number;
  /** Every later change of the shard gets a greater sequence. */
  readonly last: number;
  /** The intent appended last; 0 before the first. */
  readonly newest: number;
  /** Intents about which the log does not say yet what became of them, in order. */
  readonly open: readonly number[];
  /** How many shards the log had when somebody looked last. */
  readonly shards: number;
  /**
   * What the intents that have left the tail as carried out made more or fewer; `undefined` in a log that was
   * begun without.
   */
  readonly totals: PartitionTotals | undefined;
  /** The version of the query tags that whoever appends from now on has to know. */
  readonly tags: number;
  /** When it was written last, by the clock of storage; 0 when it is not there. */
  readonly timestamp: number;
  /** `undefined` when the shard has no tail row. */
  readonly etag: string | undefined;
}

export function encodeTail({
  last,
  newest,
  open,
  shards,
  totals,
  tags,
}: Omit<Tail, 'etag' | 'timestamp'>): Properties {
  return {
    ...{ last: BigInt(last), newest: BigInt(newest), open: open.join(' '), shards, tags },
    ...encodePartitionTotals(totals),
  };
}

function decodeTail(shard: number, row: Entity | undefined): Tail {
  const { last, newest, open, shards, tags } = row?.properties ?? {};
  return {
    shard,
    last: Number(last ?? 0),
    newest: Number(newest ?? 0),
    open: typeof open === 'string' && open !== '' ? open.split(' ').map(Number) : [],
    shards: Math.min(Number(shards ?? 1), mostLogShards),
    totals: row === undefined ? new Map() : decodePartitionTotals(row.properties),
    tags: Number(tags ?? 0),
    timestamp: row?.timestamp ?? 0,
    etag: row?.etag,
  };
}

export async function readTail(tables: TableStore, shard: number): Promise<Tail> {
  return decodeTail(shard, await tables.get('log', logPartitionKey(shard), logTailRowKey));
}

/** The operation that makes a tail another, provided that it is still as it was read. */
export function tailOperation(tail: Tail, change: Partial<Tail>): TableOperation {
  const properties = encodeTail({ ...tail, ...change });
  return tail.etag === undefined
    ? { kind: 'insert', rowKey: logTailRowKey, properties }
    : { kind: 'replace', rowKey: logTailRowKey, properties, etag: tail.etag };
}

/** Writes one tail; answers it as it is now, or `undefined` when it was not as it was read. */
export async function writeTail(
  tables: TableStore,
  tail: Tail,
  change: Partial<Tail>,
): Promise<Tail | undefined> {
  const outcome = await tables.transact('log', logPartitionKey(tail.shard), [
    tailOperation(tail, change),
  ]);
  return outcome.committed ? { ...tail, ...change, etag: outcome.etags[0] } : undefined;
}

function shardsFrom(first: number, count: number): readonly number[] {
  return Array.from({ length: Math.max(count - first, 0) }, (_, n) => first + n);
}

/**
 * The tails of all shards, in order.
 *
 * @param known - how many shards there are, as far as is known: they are read in one round.
 */
export async function readTails(tables: TableStore, known = 1): Promise<readonly Tail[]> {
  const tails: Tail[] = [];
  for (let shards = known; tails.length < shards;) {
    const more = shardsFrom(tails.length, shards);
    tails.push(...(await Promise.all(more.map(async (shard) => await readTail(tables, shard)))));
    // A log that grows says so in the tails that were there before.
    shards = Math.max(...tails.map((tail) => tail.shards));
  }
  return tails;
}

/**
 * Makes sure that no shard will get a change up to a sequence any more: raises the tails that are behind.
 *
 * @returns the sequence up to which that holds: less when a shard has moved on meanwhile.
 */
export async function passTails(
  tables: TableStore,
  tails: readonly Tail[],
  sequence: number,
): Promise<number> {
  const passed = await Promise.all(
    tails.map(async (tail) => {
      if (tail.last >= sequence) return sequence;
      const raised = await writeTail(tables, tail, { last: sequence });
      return raised === undefined ? tail.last : sequence;
    }),
  );
  return Math.min(sequence, ...passed);
}

/**
 * Gives the log more shards: no row is moved. First every tail that is there says so, then the new ones
 * begin where the last of those was. Whoever has passed a sequence without knowing of the new shards
 * read the old tails before that, so the new ones begin behind it.
 *
 * @param shards - at most `mostLogShards`; a log that has as many stays as it is.
 */
export async function growLog(tables: TableStore, shards: number): Promise<void> {
  const wanted = Math.min(shards, mostLogShards);
  for (;;) {
    const tails = await readTails(tables);
    const isThere = tails.every((tail) => tail.shards >= wanted && tail.etag !== undefined);
    if (isThere && tails.length >= wanted) return;
    const old = tails.filter(({ shard, etag }) => shard === 0 || etag !== undefined);
    const announced = await Promise.all(
      old.map(async (tail) =>
        tail.shards >= wanted && tail.etag !== undefined
          ? tail
          : await writeTail(tables, tail, { shards: wanted }),
      ),
    );
    if (announced.includes(undefined)) continue;
    const last = Math.max(...announced.map((tail) => tail?.last ?? 0));
    const tags = Math.max(...announced.map((tail) => tail?.tags ?? 0));
    const there = new Set(old.map(({ shard }) => shard));
    await Promise.all(
      shardsFrom(0, wanted)
        .filter((shard) => !there.has(shard))
        .map(async (shard) => {
          const none = decodeTail(shard, undefined);
          await writeTail(tables, none, { last, tags, shards: wanted });
        }),
    );
    return;
  }
}

/**
 * Lets every tail say that a version of the query tags has to be known: whoever appends an intent after that
 * has read them. A tail that is announced and not there yet is made, so that it cannot begin without saying so.
 *
 * @returns the intents that were open then: their writers may not know the tags.
 */
export async function stampTails(
  tables: TableStore,
  runtime: Runtime,
  version: number,
): Promise<readonly number[]> {
  const open = new Set<number>();
  for (let attempt = 0; ; attempt++) {
    const tails = await readTails(tables);
    const last = Math.max(...tails.map((tail) => tail.last));
    const shards = Math.max(...tails.map((tail) => tail.shards));
    const left = tails.filter((tail) => tail.tags < version || tail.etag === undefined);
    // Also of those that were stamped before: what is open may be older than the stamp.
    for (const tail of tails) for (const one of tail.open) open.add(one);
    if (left.length === 0) return [...open];
    const stamped = await Promise.all(
      left.map(async (tail) => {
        const change =
          tail.etag === undefined ? { last, shards, tags: version } : { tags: version };
        return await writeTail(tables, tail, change);
      }),
    );
    if (stamped.includes(undefined)) await backOff(runtime, attempt);
  }
}
