/** Values that could not be indexed when their tags were added: rows of the table `registry`, in order of time. */
import type { InstanceUids } from '../../../dicom/uid.js';
import type { Tag } from '../../../dicom/tag.js';
import { chunksOfSize, groupBy } from '../../../group-by.js';
import { rowPages } from '../../row-pages.js';
import { tableLimits, type Entity, type TableStore } from '../../table-store.js';
import { tagErrorRowKey, tagErrorsPartitionKey, type Partition } from '../keys.js';
import type { TagError } from './tag-indexer.js';

/** An error as it is listed. */
export interface ListedTagError {
  readonly partition: Partition;
  readonly uids: InstanceUids;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly reason: string;
}

function decode({ properties }: Entity): ListedTagError {
  const { partition, study, series, instance, created, reason } = properties;
  return {
    partition: partition as Partition,
    uids: { study, series, instance } as InstanceUids,
    created: Number(created),
    reason: String(reason),
  };
}

export class TagErrors {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /**
   * Notes errors; the same ones again change nothing. A study that was made anew while its like was looked at is met
   * twice, and so are its errors.
   *
   * @param slice - the number of the piece of work in which they were met.
   * @returns how many different ones there are, by tag.
   */
  async put(
    errors: readonly TagError[],
    slice: number,
    created: number,
  ): Promise<ReadonlyMap<Tag, number>> {
    const counts = new Map<Tag, number>();
    for (const [tag, some] of groupBy(errors, (error) => error.tag)) {
      const different = [...new Map(some.map((error) => [error.sequence, error])).values()];
      counts.set(tag, different.length);
      for (const chunk of chunksOfSize(different, tableLimits.transactionOperations)) {
        await this.#tables.transact(
          'registry',
          tagErrorsPartitionKey(tag),
          chunk.map(({ partition, uids, sequence, reason }) => ({
            kind: 'upsert',
            rowKey: tagErrorRowKey(slice, sequence),
            properties: { partition, ...uids, created, reason },
          })),
        );
      }
    }
    return counts;
  }

  /** Some errors of a tag, the oldest first. */
  async list(tag: Tag, offset: number, limit: number): Promise<readonly ListedTagError[]> {
    const found: ListedTagError[] = [];
    let passed = 0;
    for await (const { rows } of rowPages(this.#tables, 'registry', {
      partitionKey: tagErrorsPartitionKey(tag),
    })) {
      for (const row of rows) {
        if (passed++ < offset) continue;
        found.push(decode(row));
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  /** Forgets all errors of a tag. */
  async clear(tag: Tag): Promise<void> {
    const partitionKey = tagErrorsPartitionKey(tag);
    for await (const { rows } of rowPages(
      this.#tables,
      'registry',
      { partitionKey },
      { select: [] },
    )) {
      for (const chunk of chunksOfSize(rows, tableLimits.transactionOperations)) {
        const outcome = await this.#tables.transact(
          'registry',
          partitionKey,
          chunk.map(({ rowKey }) => ({ kind: 'delete', rowKey })),
        );
        // Somebody else clears them as well: one by one, whatever is left.
        if (outcome.committed) continue;
        for (const { rowKey } of chunk) {
          await this.#tables.transact('registry', partitionKey, [{ kind: 'delete', rowKey }]);
        }
      }
    }
  }
}
