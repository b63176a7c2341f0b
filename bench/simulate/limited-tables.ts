/** Tables in memory that take as long as those of Azure: the change log that is simulated is our own. */
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import type { TableName, TableStore } from '../../src/storage/table-store.js';
import { Resource, type Clock } from './clock.js';
import { account, latency } from './limits.js';

/** The time of the simulated store at the start, in milliseconds since 1970. */
const start = 1_800_000_000_000;

export interface Transactions {
  committed: number;
  refused: number;
}

export class LimitedTables implements TableStore {
  readonly #clock: Clock;
  readonly #account: Resource;
  readonly #inner: MemoryTableStore;
  /** What each partition can do. */
  readonly #partitions = new Map<string, Resource>();
  readonly #transactions = new Map<TableName, Transactions>();
  appends = 0;
  lost = 0;
  calls = 0;

  /** @param account - what all tables of the account can do together. */
  constructor(clock: Clock, account: Resource) {
    this.#clock = clock;
    this.#account = account;
    this.#inner = new MemoryTableStore({ now: () => this.now() });
  }

  /** The partitions, as what can be busy. */
  get partitions(): readonly Resource[] {
    return [...this.#partitions.values()];
  }

  partition(key: string): Resource {
    const known =
      this.#partitions.get(key) ??
      new Resource(this.#clock, key, account.tablePartitionEntitiesPerSecond);
    this.#partitions.set(key, known);
    return known;
  }

  /** What became of the transactions in a table. */
  transactionsOf(table: TableName): Transactions {
    const known = this.#transactions.get(table) ?? { committed: 0, refused: 0 };
    this.#transactions.set(table, known);
    return known;
  }

  get: TableStore['get'] = async (table, partitionKey, ...rest) => {
    this.calls++;
    await this.#clock.sleep(latency.tableRead / 2);
    await Promise.all([this.#account.use(1), this.partition(partitionKey).use(1)]);
    const row = await this.#inner.get(table, partitionKey, ...rest);
    await this.#clock.sleep(latency.tableRead / 2);
    return row;
  };

  /** A transaction that is refused takes as much of its partition as one that is not. */
  transact: TableStore['transact'] = async (table, partitionKey, operations) => {
    this.calls++;
    await this.#clock.sleep(latency.tableWrite / 2);
    await Promise.all([
      this.#account.use(operations.length),
      this.partition(partitionKey).use(operations.length),
    ]);
    const outcome = await this.#inner.transact(table, partitionKey, operations);
    this.transactionsOf(table)[outcome.committed ? 'committed' : 'refused']++;
    if (operations.some(({ kind }) => kind === 'insert')) {
      if (outcome.committed) this.appends++;
      else this.lost++;
    }
    await this.#clock.sleep(latency.tableWrite / 2);
    return outcome;
  };

  query: TableStore['query'] = async (table, range, ...rest) => {
    this.calls++;
    await this.#clock.sleep(latency.tableRead / 2);
    const page = await this.#inner.query(table, range, ...rest);
    const rows = Math.max(page.entities.length, 1);
    await Promise.all([this.#account.use(1), this.partition(range.partitionKey).use(rows)]);
    await this.#clock.sleep(latency.tableRead / 2);
    return page;
  };
  scan: TableStore['scan'] = async (...call) => await this.#inner.scan(...call);
  check: TableStore['check'] = async (...call) => await this.#inner.check(...call);

  /** Rows that are there from the start, in no time. */
  get atOnce(): TableStore {
    return this.#inner;
  }

  now(): number {
    return start + this.#clock.now * 1000;
  }
}
