/** The table store in memory: the reference that says how every table store behaves. */
import { clientAborted } from '../body.js';
import type { OnStorageCall, StorageCall } from '../storage-call.js';
import { checkKey, checkPage, checkQuery, checkTransaction } from '../table-limits.js';
import { tableLimits } from '../table-store.js';
import type {
  Entity,
  Page,
  Properties,
  PropertyValue,
  QueryOptions,
  RowRange,
  TableName,
  TableOperation,
  TableStore,
  TransactionOutcome,
} from '../table-store.js';
import { SortedRows } from './sorted-rows.js';
import { seededRandom } from './seeded-random.js';

export interface MemoryTableStoreOptions {
  readonly onCall?: OnStorageCall;
  /**
   * Awaited before every call takes effect, so that tests can delay, reorder and fail calls: what it
   * rejects with is what the caller gets.
   */
  readonly beforeCall?: (call: StorageCall) => Promise<void>;
  /** The clock of the store; that of the process when left out. */
  readonly now?: () => number;
  /** Seed for pages that are short or empty now and then, as Azure may return them. */
  readonly shortPagesSeed?: number;
}

interface Row {
  readonly rowKey: string;
  readonly etag: string;
  readonly timestamp: number;
  readonly properties: Properties;
}

interface TablePartition {
  /** The PartitionKey, under the name by which `SortedRows` orders. */
  readonly rowKey: string;
  readonly rows: SortedRows<Row>;
}

type Clash = 'exists' | 'changed' | 'missing';

function copyValue(value: PropertyValue): PropertyValue {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  // The service knows no negative zero.
  return value === 0 ? 0 : value;
}

function copyProperties(properties: Properties, select?: readonly string[]): Properties {
  const copy: Record<string, PropertyValue> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (select === undefined || select.includes(name)) copy[name] = copyValue(value);
  }
  return copy;
}

function entityOf(partitionKey: string, row: Row, select?: readonly string[]): Entity {
  const { rowKey, etag, timestamp, properties } = row;
  return { partitionKey, rowKey, etag, timestamp, properties: copyProperties(properties, select) };
}

function findClash(row: Row | undefined, operation: TableOperation): Clash | undefined {
  switch (operation.kind) {
    case 'insert':
      return row === undefined ? undefined : 'exists';
    case 'upsert':
      return undefined;
    case 'replace':
    case 'delete':
      if (row === undefined) return 'missing';
      return operation.etag === undefined || operation.etag === row.etag ? undefined : 'changed';
  }
}

function encodeContinuation(rowKey: string): string {
  return Buffer.from(rowKey, 'utf8').toString('base64url');
}

/** No key holds a line feed. */
const betweenKeys = '\n';

function decodeContinuation(continuation: string): string {
  const rowKey = Buffer.from(continuation, 'base64url').toString('utf8');
  if (rowKey === '' || encodeContinuation(rowKey) !== continuation) {
    throw new RangeError('Not a continuation');
  }
  return rowKey;
}

/** Tables in memory, gone with the process. Carries a million rows and more. */
export class MemoryTableStore implements TableStore {
  readonly #options: MemoryTableStoreOptions;
  readonly #random: (() => number) | undefined;
  /** By table, then PartitionKey. */
  readonly #tables = new Map<TableName, SortedRows<TablePartition>>();
  #writes = 0;

  constructor(options: MemoryTableStoreOptions = {}) {
    this.#options = options;
    this.#random =
      options.shortPagesSeed === undefined ? undefined : seededRandom(options.shortPagesSeed);
  }

  async get(
    table: TableName,
    partitionKey: string,
    rowKey: string,
    options: { readonly select?: readonly string[]; readonly signal?: AbortSignal } = {},
  ): Promise<Entity | undefined> {
    checkKey('PartitionKey', partitionKey);
    checkKey('RowKey', rowKey);
    await this.#call('GET', 'get', table, options.signal);
    const row = this.#rows(table, partitionKey)?.get(rowKey);
    if (row === undefined) return undefined;
    return entityOf(partitionKey, row, options.select);
  }

  async query(table: TableName, range: RowRange, options: QueryOptions = {}): Promise<Page> {
    checkQuery(range, options);
    const { partitionKey, from = '', to } = range;
    const next = options.continuation === undefined ? '' : decodeContinuation(options.continuation);
    await this.#call('GET', 'query', table, options.signal);
    const limit = this.#pageLimit(options.limit ?? tableLimits.pageRows);
    const entities: Entity[] = [];
    const rows = this.#rows(table, partitionKey)?.from(next > from ? next : from);
    for (const row of rows ?? []) {
      if (to !== undefined && row.rowKey >= to) break;
      if (entities.length === limit) {
        return { entities, continuation: encodeContinuation(row.rowKey) };
      }
      entities.push(entityOf(partitionKey, row, options.select));
    }
    return { entities };
  }

  async scan(table: TableName, options: QueryOptions = {}): Promise<Page> {
    checkPage(options);
    const next = options.continuation === undefined ? '' : decodeContinuation(options.continuation);
    const [fromPartition = '', fromRow = ''] = next.split(betweenKeys);
    await this.#call('GET', 'scan', table, options.signal);
    const limit = this.#pageLimit(options.limit ?? tableLimits.pageRows);
    const entities: Entity[] = [];
    for (const { rowKey: partitionKey, rows } of this.#partitions(table).from(fromPartition)) {
      for (const row of rows.from(partitionKey === fromPartition ? fromRow : '')) {
        if (entities.length === limit) {
          const continuation = encodeContinuation(partitionKey + betweenKeys + row.rowKey);
          return { entities, continuation };
        }
        entities.push(entityOf(partitionKey, row, options.select));
      }
    }
    return { entities };
  }

  async transact(
    table: TableName,
    partitionKey: string,
    operations: readonly TableOperation[],
  ): Promise<TransactionOutcome> {
    checkTransaction(partitionKey, operations);
    // What the caller does to its arrays afterwards must not show.
    const copies = operations.map((operation) =>
      operation.kind === 'delete'
        ? operation
        : { ...operation, properties: copyProperties(operation.properties) },
    );
    await this.#call('POST', 'transact', table);
    // No await from here on: the rest is the transaction.
    const rows = this.#rows(table, partitionKey) ?? new SortedRows<Row>();
    for (const [index, operation] of copies.entries()) {
      const clash = findClash(rows.get(operation.rowKey), operation);
      if (clash !== undefined) return { committed: false, clash, index };
    }
    this.#partitions(table).set({ rowKey: partitionKey, rows });
    const timestamp = this.now();
    const etags = copies.map((operation) => {
      if (operation.kind === 'delete') {
        rows.delete(operation.rowKey);
        return undefined;
      }
      const etag = `W/"${(this.#writes += 1)}"`;
      rows.set({ rowKey: operation.rowKey, etag, timestamp, properties: operation.properties });
      return etag;
    });
    return { committed: true, etags };
  }

  now(): number {
    return (this.#options.now ?? Date.now)();
  }

  async check(signal?: AbortSignal): Promise<void> {
    await this.#call('GET', 'get', 'catalog', signal);
  }

  #partitions(table: TableName): SortedRows<TablePartition> {
    const partitions = this.#tables.get(table) ?? new SortedRows<TablePartition>();
    this.#tables.set(table, partitions);
    return partitions;
  }

  #rows(table: TableName, partitionKey: string): SortedRows<Row> | undefined {
    return this.#partitions(table).get(partitionKey)?.rows;
  }

  #pageLimit(limit: number): number {
    if (this.#random === undefined || this.#random() < 0.5) return limit;
    return Math.floor(this.#random() * limit);
  }

  async #call(
    method: string,
    operation: StorageCall['operation'],
    target: string,
    signal?: AbortSignal,
  ): Promise<void> {
    if (signal?.aborted === true) throw clientAborted(signal.reason);
    const call: StorageCall = { service: 'table', method, operation, target };
    this.#options.onCall?.(call);
    await this.#options.beforeCall?.(call);
  }
}
