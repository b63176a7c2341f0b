/**
 * A table store seen from outside: it remembers every partition that was written, so that tests can
 * list a whole table, and lets a test delay calls, fail them, or lose their answers.
 */
import { ServiceError } from '../../../../src/errors.js';
import type {
  Entity,
  TableName,
  TableOperation,
  TableStore,
} from '../../../../src/storage/table-store.js';

export interface TableCall {
  readonly operation: 'get' | 'query' | 'transact';
  readonly table: TableName;
  readonly operations: readonly TableOperation[];
  readonly partitionKey: string;
}

/** Stands around a call; `act` carries it out. */
export type Around = <T>(call: TableCall, act: () => Promise<T>) => Promise<T>;

export class WatchedTables implements TableStore {
  readonly #inner: TableStore;
  readonly #partitions: Map<TableName, Set<string>>;
  around: Around | undefined;

  /** @param sibling another view of the same store, whose knowledge of partitions is shared. */
  constructor(inner: TableStore, sibling?: WatchedTables) {
    this.#inner = inner;
    this.#partitions =
      sibling === undefined ? new Map<TableName, Set<string>>() : sibling.#partitions;
  }

  get: TableStore['get'] = async (table, partitionKey, ...rest) =>
    await this.#run({ operation: 'get', table, partitionKey, operations: [] }, async () => {
      return await this.#inner.get(table, partitionKey, ...rest);
    });

  query: TableStore['query'] = async (table, range, ...rest) => {
    const { partitionKey } = range;
    return await this.#run(
      { operation: 'query', table, partitionKey, operations: [] },
      async () => {
        return await this.#inner.query(table, range, ...rest);
      },
    );
  };

  transact: TableStore['transact'] = async (table, partitionKey, operations) => {
    const partitions = this.#partitions.get(table) ?? new Set();
    this.#partitions.set(table, partitions.add(partitionKey));
    return await this.#run({ operation: 'transact', table, partitionKey, operations }, async () => {
      return await this.#inner.transact(table, partitionKey, operations);
    });
  };

  scan: TableStore['scan'] = async (...call) => await this.#inner.scan(...call);

  now: TableStore['now'] = () => this.#inner.now();

  check: TableStore['check'] = async (signal) => await this.#inner.check(signal);

  async #run<T>(call: TableCall, act: () => Promise<T>): Promise<T> {
    return this.around === undefined ? await act() : await this.around(call, act);
  }

  /** Every row of a table, by partition and key. */
  async rows(table: TableName): Promise<readonly Entity[]> {
    const all: Entity[] = [];
    for (const partitionKey of [...(this.#partitions.get(table) ?? [])].sort()) {
      let continuation: string | undefined;
      do {
        const page = await this.#inner.query(
          table,
          { partitionKey },
          continuation === undefined ? {} : { continuation },
        );
        all.push(...page.entities);
        continuation = page.continuation;
      } while (continuation !== undefined);
    }
    return all;
  }
}

/** Numbers in [0, 1) that depend on the seed alone (a linear congruential generator). */
export function seeded(seed: number): () => number {
  let state = BigInt(seed) & 0xffff_ffffn;
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffff_ffff_ffff_ffffn;
    return Number(state >> 32n) / 0x1_0000_0000;
  };
}

/** Before and after every call, lets up to three turns of the event loop pass, so that writers race. */
export function dawdling(seed: number): Around {
  const random = seeded(seed);
  const turns = async () => {
    for (let left = Math.floor(random() * 4); left > 0; left--) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return async (_call, act) => {
    await turns();
    const answer = await act();
    await turns();
    return answer;
  };
}

/** How a call fails: before it does anything, or with the work done and the answer lost. */
export type Flavour = 'not done' | 'answer lost';

export function unavailable(): ServiceError {
  return new ServiceError('storage-unavailable', 'Storage is away, says the test.');
}

/** Fails calls; those that pass through are counted. */
export class Failing {
  #calls = 0;
  readonly #choose: (call: TableCall, position: number) => Flavour | undefined;
  failed: TableCall[] = [];

  constructor(choose: (call: TableCall, position: number) => Flavour | undefined) {
    this.#choose = choose;
  }

  get calls(): number {
    return this.#calls;
  }

  readonly around: Around = async (call, act) => {
    const flavour = this.#choose(call, this.#calls++);
    if (flavour === undefined) return await act();
    this.failed.push(call);
    if (flavour === 'answer lost') await act();
    throw unavailable();
  };
}
