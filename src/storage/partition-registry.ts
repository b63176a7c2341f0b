/**
 * The data partitions that there are, with a number each, in the table `registry`. One comes into being
 * with the first store into it, and stays.
 */
import { backOff } from './back-off.js';
import { browsePartitionKey, defaultPartition, type Partition } from './archive/keys.js';
import { rowPages } from './row-pages.js';
import { systemRuntime } from './runtime.js';
import type { Entity, TableStore } from './table-store.js';

/** A partition as it is listed. */
export interface RegisteredPartition {
  /** From 1, which is that of the default partition; in order of creation, without gaps. */
  readonly key: number;
  readonly name: Partition;
  readonly created: Date;
}

const partitionKey = 'partitions';
/** Beside the names, which begin with a prefix: the number that was given last, and since when there is one. */
const counterRow = '0';
const namePrefix = '1|';

function readRow({ rowKey, properties }: Entity): RegisteredPartition {
  return {
    key: Number(properties['key']),
    name: rowKey.slice(namePrefix.length) as Partition,
    created: new Date(Number(properties['created'])),
  };
}

export class PartitionRegistry {
  readonly #tables: TableStore;
  /** None is ever removed, so what is known stays true. */
  readonly #known = new Set<Partition>([defaultPartition]);

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /**
   * Whether a partition is there. One that holds studies and is not listed, since they are older than
   * the list, is put on it. Costs a point read the first time, and a query more when it is not listed.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async has(partition: Partition): Promise<boolean> {
    if (this.#known.has(partition)) return true;
    if ((await this.#tables.get('registry', partitionKey, namePrefix + partition)) === undefined) {
      const studies = { partitionKey: browsePartitionKey(partition) };
      const { entities } = await this.#tables.query('searchindex', studies, {
        limit: 1,
        select: ['unsure'],
      });
      if (entities.length === 0) return false;
      await this.ensure(partition);
    }
    this.#known.add(partition);
    return true;
  }

  /**
   * Makes sure that a partition is listed; of those who do it at once, all succeed. Costs nothing once
   * this process knows it.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async ensure(partition: Partition): Promise<void> {
    for (let attempt = 0; !this.#known.has(partition); attempt += 1) {
      if (attempt > 0) await backOff(systemRuntime, attempt);
      const [counter, row] = await Promise.all([
        this.#counter(),
        this.#tables.get('registry', partitionKey, namePrefix + partition),
      ]);
      if (row !== undefined || (await this.#insert(partition, counter))) this.#known.add(partition);
    }
  }

  /**
   * Every partition, in order of their numbers.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async list(): Promise<readonly RegisteredPartition[]> {
    const { properties } = await this.#counter();
    const created = new Date(Number(properties['since']));
    const found: RegisteredPartition[] = [{ key: 1, name: defaultPartition, created }];
    const range = { partitionKey, from: namePrefix };
    for await (const { rows } of rowPages(this.#tables, 'registry', range)) {
      found.push(...rows.map(readRow));
    }
    return found.sort((one, other) => one.key - other.key);
  }

  async #insert(partition: Partition, counter: Entity): Promise<boolean> {
    const key = Number(counter.properties['last']) + 1;
    const { committed } = await this.#tables.transact('registry', partitionKey, [
      {
        kind: 'replace',
        rowKey: counterRow,
        properties: { ...counter.properties, last: key },
        etag: counter.etag,
      },
      {
        kind: 'insert',
        rowKey: namePrefix + partition,
        properties: { key, created: Date.now() },
      },
    ]);
    return committed;
  }

  /** The row of the counter, made when somebody asks for the first time. */
  async #counter(): Promise<Entity> {
    for (let attempt = 0; ; attempt += 1) {
      if (attempt > 0) await backOff(systemRuntime, attempt);
      const row = await this.#tables.get('registry', partitionKey, counterRow);
      if (row !== undefined) return row;
      const properties = { last: 1, since: Date.now() };
      await this.#tables.transact('registry', partitionKey, [
        { kind: 'insert', rowKey: counterRow, properties },
      ]);
    }
  }
}
