/** The table store on Azure Table Storage, or on Azurite. */
import { odata } from '@azure/data-tables';
import type { TableClient, TableEntity } from '@azure/data-tables';
import { ServiceError } from '../../../errors.js';
import type { OnStorageCall } from '../../storage-call.js';
import { checkKey, checkPage, checkQuery, checkTransaction } from '../../table-limits.js';
import { tableLimits, tablesKeyedByValues } from '../../table-store.js';
import type {
  Entity,
  Page,
  QueryOptions,
  RowRange,
  TableName,
  TableOperation,
  TableStore,
  TransactionOutcome,
} from '../../table-store.js';
import { fromAzure, isSame, toAzure } from './entity.js';
import { readRow } from './row-reads.js';
import type { StorageClock } from './storage-clock.js';
import { withWriteCall, type WriteCall } from './table-policies.js';
import { submitTransaction } from './transactions.js';
import { codeOf, statusOf, translateError } from '../translate-error.js';

/** Of every row, whatever is selected: without them the service may leave out the ETag. */
const alwaysSelected = ['PartitionKey', 'RowKey', 'Timestamp'];

function selection(select: readonly string[] | undefined): { select?: string[] } {
  return select === undefined ? {} : { select: [...alwaysSelected, ...select] };
}

function filterOf({ partitionKey, from, to }: RowRange): string {
  let filter = odata`PartitionKey eq ${partitionKey}`;
  if (from !== undefined && from !== '') filter += odata` and RowKey ge ${from}`;
  if (to !== undefined) filter += odata` and RowKey lt ${to}`;
  return filter;
}

/** The guard that failed, or `undefined` when the error is none of ours. */
function clashOf(error: unknown): 'exists' | 'changed' | 'missing' | undefined {
  const code = codeOf(error);
  switch (statusOf(error)) {
    case 409:
      return code === 'EntityAlreadyExists' ? 'exists' : undefined;
    case 412:
      return 'changed';
    case 404:
      return code === 'TableNotFound' ? undefined : 'missing';
    default:
      return undefined;
  }
}

/** Of a transaction, the service begins its message with the index of the operation that failed. */
function failedIndex(error: unknown, operations: number): number | undefined {
  if (operations === 1) return 0;
  const index = Number(/^(\d+):/.exec(error instanceof Error ? error.message : '')?.[1]);
  return Number.isInteger(index) && index < operations ? index : undefined;
}

const methods = { insert: 'POST', upsert: 'PUT', replace: 'PUT', delete: 'DELETE' } as const;

/**
 * The operation of a transaction of one, which goes without the frame of a batch; `undefined` where its URL
 * would tell of a patient, who is safe in the body of a batch: that costs one call as well.
 */
function loneOperation(
  table: TableName,
  [first, second]: readonly TableOperation[],
): TableOperation | undefined {
  return second === undefined && !tablesKeyedByValues.has(table) ? first : undefined;
}

async function applyOne(
  client: TableClient,
  partitionKey: string,
  operation: TableOperation,
): Promise<readonly (string | undefined)[]> {
  const { rowKey } = operation;
  switch (operation.kind) {
    case 'insert': {
      const entity = toAzure(partitionKey, rowKey, operation.properties);
      return [(await client.createEntity(entity)).etag];
    }
    case 'upsert': {
      const entity = toAzure(partitionKey, rowKey, operation.properties);
      return [(await client.upsertEntity(entity, 'Replace')).etag];
    }
    case 'replace': {
      const entity = toAzure(partitionKey, rowKey, operation.properties);
      return [(await client.updateEntity(entity, 'Replace', { etag: operation.etag })).etag];
    }
    case 'delete':
      await client.deleteEntity(partitionKey, rowKey, { etag: operation.etag ?? '*' });
      return [undefined];
  }
}

/** Tables of a storage account. Made by `connectStorage`, which sets up the clients. */
export class AzureTableStore implements TableStore {
  readonly #clients: Readonly<Record<TableName, TableClient>>;
  readonly #onCall: OnStorageCall;

  readonly #clock: StorageClock;

  /**
   * @param clients one per table, with the retries and policies of `connectStorage`.
   * @param clock hears the answers to all of them.
   * @param onCall hears of every call.
   */
  constructor(
    clients: Readonly<Record<TableName, TableClient>>,
    clock: StorageClock,
    onCall: OnStorageCall,
  ) {
    this.#clients = clients;
    this.#clock = clock;
    this.#onCall = onCall;
  }

  now(): number {
    return this.#clock.now();
  }

  async get(
    table: TableName,
    partitionKey: string,
    rowKey: string,
    options: { readonly select?: readonly string[]; readonly signal?: AbortSignal } = {},
  ): Promise<Entity | undefined> {
    checkKey('PartitionKey', partitionKey);
    checkKey('RowKey', rowKey);
    const { select, signal } = options;
    const method = tablesKeyedByValues.has(table) ? 'POST' : 'GET';
    this.#onCall({ service: 'table', method, operation: 'get', target: table });
    try {
      const entity = await readRow(this.#clients[table], partitionKey, rowKey, {
        ...selection(select),
        ...(signal && { signal }),
      });
      return fromAzure(entity, select);
    } catch (error) {
      if (clashOf(error) === 'missing') return undefined;
      throw translateError(error, `Table ${table}`, signal);
    }
  }

  async query(table: TableName, range: RowRange, options: QueryOptions = {}): Promise<Page> {
    checkQuery(range, options);
    return await this.#page(table, filterOf(range), options);
  }

  async scan(table: TableName, options: QueryOptions = {}): Promise<Page> {
    checkPage(options);
    return await this.#page(table, undefined, options);
  }

  async #page(table: TableName, filter: string | undefined, options: QueryOptions): Promise<Page> {
    const { select, signal, continuation, limit = tableLimits.pageRows } = options;
    const operation = filter === undefined ? 'scan' : 'query';
    this.#onCall({ service: 'table', method: 'GET', operation, target: table });
    try {
      const pages = this.#clients[table]
        .listEntities<TableEntity>({
          queryOptions: { ...(filter !== undefined && { filter }), ...selection(select) },
          ...(signal && { abortSignal: signal }),
        })
        .byPage({
          maxPageSize: limit,
          ...(continuation !== undefined && { continuationToken: continuation }),
        });
      const page = await pages.next();
      if (page.done === true) return { entities: [] };
      const entities = page.value.map((entity) => fromAzure(entity, select));
      const next = page.value.continuationToken;
      return next === undefined ? { entities } : { entities, continuation: next };
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new RangeError('Not a continuation', { cause: error });
      throw translateError(error, `Table ${table}`, signal);
    }
  }

  async transact(
    table: TableName,
    partitionKey: string,
    operations: readonly TableOperation[],
  ): Promise<TransactionOutcome> {
    checkTransaction(partitionKey, operations);
    const client = this.#clients[table];
    const lone = loneOperation(table, operations);
    const call: WriteCall = { begun: performance.now(), repeated: false };
    const method = lone === undefined ? 'POST' : methods[lone.kind];
    this.#onCall({ service: 'table', method, operation: 'transact', target: table });
    try {
      const etags = await withWriteCall(call, async () =>
        lone === undefined
          ? await submitTransaction(client, partitionKey, operations)
          : await applyOne(client, partitionKey, lone),
      );
      return { committed: true, etags };
    } catch (error) {
      const clash = clashOf(error);
      if (clash === undefined) throw translateError(error, `Table ${table}`);
      if (call.repeated) {
        // It may clash with itself.
        const etags = await this.#writtenBefore(table, partitionKey, operations);
        if (etags !== undefined) return { committed: true, etags };
        // Whoever asked must find out, as after a lost answer.
        throw new ServiceError('storage-unavailable', `Table ${table} was busy`, {}, error);
      }
      return { committed: false, clash, index: failedIndex(error, operations.length) };
    }
  }

  /**
   * The ETags of the rows that operations were to write, when each is there as they would have it;
   * `undefined` when not, or when there is a delete, of which nothing tells who did it.
   */
  async #writtenBefore(
    table: TableName,
    partitionKey: string,
    operations: readonly TableOperation[],
  ): Promise<readonly string[] | undefined> {
    const etags: string[] = [];
    for (const operation of operations) {
      if (operation.kind === 'delete') return undefined;
      const row = await this.get(table, partitionKey, operation.rowKey);
      if (row === undefined || !isSame(row.properties, operation.properties)) return undefined;
      etags.push(row.etag);
    }
    return etags;
  }

  async check(signal?: AbortSignal): Promise<void> {
    await this.get('catalog', 'check', 'check', signal && { signal });
  }
}
