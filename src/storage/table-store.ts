/**
 * Port: an ordered table of entities with the semantics and limits of Azure Table Storage. Rows of
 * one partition are ordered by RowKey and can be changed together, atomically.
 */

/** The tables of the service; all exist before the first call. */
export const tableNames = [
  'catalog',
  'log',
  'searchindex',
  'searchwords',
  'registry',
  'operations',
] as const;
export type TableName = (typeof tableNames)[number];

/**
 * Tables whose keys spell values of data sets: no URL may name one of their rows. Pages of them are queried by
 * what is sought all the same, so that no log of calls to tables may be kept (docs/decisions/0022).
 */
export const tablesKeyedByValues: ReadonlySet<TableName> = new Set(['searchindex', 'searchwords']);

/** What a property can hold; `Uint8Array` up to 64 KiB, strings up to 32 Ki UTF-16 units. */
export type PropertyValue = string | number | bigint | boolean | Uint8Array;
export type Properties = Readonly<Record<string, PropertyValue>>;

export interface Entity {
  readonly partitionKey: string;
  readonly rowKey: string;
  /** Changes with every write of the row. */
  readonly etag: string;
  /** When the row was written, by the clock of the service, in milliseconds since 1970. */
  readonly timestamp: number;
  readonly properties: Properties;
}

/** One step of a transaction. A guard that fails fails the whole transaction. */
export type TableOperation =
  /** Clash `exists` when the row is there. */
  | { readonly kind: 'insert'; readonly rowKey: string; readonly properties: Properties }
  /** Replaces the whole row. Clash `changed` when the ETag differs, `missing` when it is gone. */
  | {
      readonly kind: 'replace';
      readonly rowKey: string;
      readonly properties: Properties;
      readonly etag: string;
    }
  /** Inserts or replaces, whatever is there. */
  | { readonly kind: 'upsert'; readonly rowKey: string; readonly properties: Properties }
  /** Clash `missing` when it is gone, `changed` when an ETag is given and differs. */
  | { readonly kind: 'delete'; readonly rowKey: string; readonly etag?: string };

/** What became of a transaction: all of it, or nothing and the guard that failed. */
export type TransactionOutcome =
  | {
      readonly committed: true;
      /** The new ETag per operation; `undefined` for deletes. */
      readonly etags: readonly (string | undefined)[];
    }
  | {
      readonly committed: false;
      readonly clash: 'exists' | 'changed' | 'missing';
      /** Index of the operation that clashed; `undefined` when the service did not say. */
      readonly index: number | undefined;
    };

export interface RowRange {
  readonly partitionKey: string;
  /** First RowKey, inclusive; from the start of the partition when left out. */
  readonly from?: string;
  /** Last RowKey, exclusive; to the end of the partition when left out. */
  readonly to?: string;
}

export interface QueryOptions {
  /** Most rows on the page, 1 to 1000; 1000 when left out. */
  readonly limit?: number;
  /** Names of the properties to return; all when left out. */
  readonly select?: readonly string[];
  /** Where the previous page of the same range or table ended. */
  readonly continuation?: string;
  readonly signal?: AbortSignal;
}

export interface Page {
  /** In order of their keys. May be short, even empty, although a continuation follows. */
  readonly entities: readonly Entity[];
  /** Present when more rows may follow. */
  readonly continuation?: string;
}

/** Limits of one transaction and one entity, those of Azure Table Storage. */
export const tableLimits = {
  transactionOperations: 100,
  transactionBytes: 4 * 1024 * 1024,
  entityBytes: 1024 * 1024,
  entityProperties: 252,
  propertyBytes: 64 * 1024,
  keyBytes: 1024,
  pageRows: 1000,
} as const;

/**
 * Every method rejects with `ServiceError`: `storage-unavailable` when the service is away, busy or
 * times out after retries, `client-aborted` when the signal fired. Breaking a limit is a fault of
 * ours and throws a `RangeError`.
 */
export interface TableStore {
  /** One point read. */
  get(
    table: TableName,
    partitionKey: string,
    rowKey: string,
    options?: { readonly select?: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<Entity | undefined>;

  /** One page of a range within a partition: one call. */
  query(table: TableName, range: RowRange, options?: QueryOptions): Promise<Page>;

  /**
   * One page of a whole table, in order of PartitionKey, then RowKey: one call. For work that looks at
   * everything; requests use `query`.
   */
  scan(table: TableName, options?: QueryOptions): Promise<Page>;

  /** Applies 1 to 100 operations on distinct rows of one partition, all or none: one call. */
  transact(
    table: TableName,
    partitionKey: string,
    operations: readonly TableOperation[],
  ): Promise<TransactionOutcome>;

  /**
   * What time it is by the clock of the service, in milliseconds since 1970, as far as its answers told;
   * at most about a second behind it.
   */
  now(): number;

  /** Resolves when the service answers; for the health check. */
  check(signal?: AbortSignal): Promise<void>;
}
