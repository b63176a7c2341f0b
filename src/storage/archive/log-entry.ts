/** Entries of the log and its tail, as rows and as records. */
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPInstanceUID,
  StudyInstanceUID,
} from '../../dicom/uid.js';
import type { Entity, Properties, TableStore } from '../table-store.js';
import {
  logBucketEntries,
  logHeadKey,
  logPartitionKey,
  logTailRowKey,
  type Partition,
} from './keys.js';
import type { IndexRow } from './search-index.js';
import type { Ulid } from './ulid.js';

export type LogAction = 'Create' | 'Update' | 'Delete';

/** `done`: it happened. `void`: it never will. */
export type Fate = 'done' | 'void';

/** A change of one instance. */
export interface LogEntry extends InstanceUids {
  readonly partition: Partition;
  readonly action: LogAction;
  /** The version that is created, or the one that is deleted. */
  readonly version: Ulid;
  /** Of an update: the version that is replaced. */
  readonly previous?: Ulid;
  /** Of a delete: when the study was made; else the write, which names what it left behind. */
  readonly write: Ulid;
  /**
   * Index rows above the instance that this change puts down before its commit, or takes away after
   * it; what is left of them when the writer dies is found here.
   */
  readonly rows?: readonly IndexRow[];
}

/** An entry as the log has it. */
export interface LoggedEntry extends LogEntry {
  readonly sequence: number;
  readonly state: 'pending' | Fate;
  /** When it was appended, in units of 100 ns since 1970; ascends with the sequence. */
  readonly ticks: bigint;
  /** The same in milliseconds. */
  readonly time: number;
  readonly etag: string;
  /** The row as it stands. */
  readonly properties: Properties;
}

/**
 * How long an entry may be pending before it is taken for dead. Writers send their commit within
 * `commitWithinMilliseconds` of the append and repeat it for 5 s at most, a storage request ends after
 * 30 s, and the service ends its own work on it within another 30.
 */
export const leaseMilliseconds = 75_000;
export const commitWithinMilliseconds = 10_000;

/** Both as one value: tests of what dies cannot wait for the real ones. */
export interface LogTiming {
  readonly leaseMilliseconds: number;
  readonly commitWithinMilliseconds: number;
}

export const defaultLogTiming: LogTiming = { leaseMilliseconds, commitWithinMilliseconds };

export const ticksPerMillisecond = 10_000n;

export function encodeLogEntry({ rows, ...entry }: LogEntry, ticks: bigint): Properties {
  return {
    ...entry,
    ...(rows !== undefined && rows.length > 0 && { rows: JSON.stringify(rows) }),
    state: 'pending',
    ticks,
  };
}

export function decodeLogEntry({ rowKey, etag, properties }: Entity): LoggedEntry {
  const previous = properties['previous'];
  const rows = properties['rows'];
  const ticks = BigInt(String(properties['ticks']));
  return {
    sequence: Number(rowKey),
    partition: properties['partition'] as Partition,
    action: properties['action'] as LogAction,
    study: properties['study'] as StudyInstanceUID,
    series: properties['series'] as SeriesInstanceUID,
    instance: properties['instance'] as SOPInstanceUID,
    version: properties['version'] as Ulid,
    ...(previous !== undefined && { previous: previous as Ulid }),
    write: properties['write'] as Ulid,
    ...(typeof rows === 'string' && { rows: JSON.parse(rows) as readonly IndexRow[] }),
    state: properties['state'] as LoggedEntry['state'],
    ticks,
    time: Number(ticks / ticksPerMillisecond),
    etag,
    properties,
  };
}

/** Where the log goes on. */
export interface Tail {
  readonly bucket: number;
  /** The sequence number of the next entry. */
  readonly next: number;
  /** The latest time given to an entry. */
  readonly ticks: bigint;
  /** `undefined` when the bucket has no tail row yet. */
  readonly etag: string | undefined;
}

/** Reads the tail of a bucket; `known` says what holds while it has none. */
export async function readBucketTail(
  tables: TableStore,
  bucket: number,
  known: Pick<Tail, 'ticks'> = { ticks: 0n },
): Promise<Tail> {
  const row = await tables.get('log', logPartitionKey(bucket), logTailRowKey);
  return {
    bucket,
    next: Number(row?.properties['next'] ?? bucket * logBucketEntries + 1),
    ticks: BigInt(String(row?.properties['ticks'] ?? known.ticks)),
    etag: row?.etag,
  };
}

/** Reads the tail of the bucket that the head names; the true tail may be further on. */
export async function readTail(tables: TableStore): Promise<Tail> {
  const head = await tables.get('log', logHeadKey.partitionKey, logHeadKey.rowKey);
  return await readBucketTail(tables, Number(head?.properties['bucket'] ?? 0));
}
