/**
 * The index rows by which studies, series and instances are found. A row is a hint, never a truth:
 * it is written before the commit that makes it true, removed after the one that makes it false,
 * and whoever reads it asks the catalog.
 */
import type { DataSet } from '../../dicom/data-set.js';
import { vrOf } from '../../dicom/dictionary.js';
import { normalisedValues } from '../../dicom/normalise.js';
import { parseTag, type Tag } from '../../dicom/tag.js';
import { chunksOfSize, groupBy } from '../../group-by.js';
import { tableLimits, type RowRange, type TableStore } from '../table-store.js';
import { allOf } from './all-of.js';
import { rowPages, type RowPagesOptions } from '../row-pages.js';
import { indexedAttributes } from './attributes.js';
import {
  encodeValue,
  indexPartitionKey,
  indexRowKey,
  parseIndexRowKey,
  rowsOfInterval,
  rowsOfPrefix,
  rowsOfValue,
  type IndexedUids,
  type IndexRowKey,
  type Level,
  type Partition,
} from './keys.js';
import type { Indexes } from './records.js';
import type { Ulid } from './ulid.js';

/** One row, as coordinates. */
export interface IndexRow extends IndexRowKey {
  readonly partition: Partition;
  readonly level: Level;
  readonly tag: Tag;
}

/** What stays, comes and goes when the indexed values of something change. */
export interface IndexChange {
  readonly indexes: Indexes;
  readonly added: readonly IndexRow[];
  readonly removed: readonly IndexRow[];
}

export interface IndexOwner {
  readonly partition: Partition;
  readonly level: Level;
  readonly uids: IndexedUids;
  readonly created: Ulid;
}

/** The rows that an owner has according to its record. */
export function rowsOf(owner: IndexOwner, indexes: Indexes): readonly IndexRow[] {
  return Object.entries(indexes).flatMap(([name, values]) => {
    const tag = parseTag(name);
    if (tag === undefined) return [];
    return Object.entries(values).map(([value, write]) => ({ ...owner, tag, value, write }));
  });
}

/** Mirrors digits, so that a range of dates is walked from the latest to the earliest. */
function mirrorDigits(text: string): string {
  return text.replace(/[0-9]/g, (digit) => String(9 - Number(digit)));
}

/** The spelling of a normalised value in the keys of the index of an attribute. */
export function indexedValue(tag: Tag, text: string): string {
  return encodeValue(vrOf(tag) === 'DA' ? mirrorDigits(text) : text);
}

/** The values of one record that another lacks. */
function valuesWithout(indexes: Indexes, others: Indexes): Indexes {
  return Object.fromEntries(
    Object.entries(indexes).map(([tag, values]) => {
      const other = others[tag] ?? {};
      return [
        tag,
        Object.fromEntries(
          Object.entries(values).filter(([value]) => !Object.hasOwn(other, value)),
        ),
      ];
    }),
  );
}

/**
 * Compares the values that should be found with those that are.
 *
 * @param attributes - the indexed attributes at their newest values, computed ones included.
 * @param known - the indexes of the record so far.
 */
export function changeIndexes(
  owner: IndexOwner,
  attributes: DataSet,
  known: Indexes,
  write: Ulid,
): IndexChange {
  const indexes: Record<string, Indexes[string]> = {};
  const added: IndexRow[] = [];
  for (const { level, tag } of indexedAttributes) {
    if (level !== owner.level) continue;
    // Not plain objects: a value may be `constructor`.
    const before = new Map(Object.entries(known[tag] ?? {}));
    const values = new Map<string, Ulid>();
    for (const text of normalisedValues(attributes[tag])) {
      const value = indexedValue(tag, text);
      const previous = before.get(value);
      if (previous === undefined && !values.has(value)) added.push({ ...owner, tag, value, write });
      values.set(value, previous ?? write);
    }
    if (values.size > 0) indexes[tag] = Object.fromEntries(values);
  }
  return { indexes, added, removed: rowsOf(owner, valuesWithout(known, indexes)) };
}

/** Identifies a row among all. */
export function addressOf(row: IndexRow): { partitionKey: string; rowKey: string } {
  return {
    partitionKey: indexPartitionKey(row.partition, row.level, row.tag, row.value),
    rowKey: indexRowKey(row),
  };
}

/** A row as read, with its key: the place after which a later walk goes on. */
export interface IndexHit extends IndexRowKey {
  readonly rowKey: string;
  /** Nothing follows. Where it says otherwise, something may. */
  readonly last: boolean;
}

/** Which rows of an attribute are sought; values are normalised. */
export type SoughtValues =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | {
      readonly kind: 'interval';
      readonly from: string | undefined;
      readonly to: string | undefined;
    };

/** Whether a walk over the sought rows meets a value, spelled as in keys. */
export function isSought(tag: Tag, sought: SoughtValues, value: string): boolean {
  const { from = '', to } = rangeOf(tag, sought);
  const key = `${value}|`;
  return key >= from && (to === undefined || key < to);
}

function rangeOf(tag: Tag, sought: SoughtValues): Omit<RowRange, 'partitionKey'> {
  const spelled = (text: string) => indexedValue(tag, text);
  switch (sought.kind) {
    case 'value':
      return rowsOfValue(spelled(sought.value));
    case 'prefix':
      return rowsOfPrefix(spelled(sought.prefix));
    case 'interval': {
      // Mirrored values run backwards.
      const [from, to] = vrOf(tag) === 'DA' ? [sought.to, sought.from] : [sought.from, sought.to];
      return rowsOfInterval(
        from === undefined ? undefined : spelled(from),
        to === undefined ? undefined : spelled(to),
      );
    }
  }
}

export class SearchIndex {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /** Writes rows, those of one partition together, all partitions at once. */
  async insert(rows: readonly IndexRow[]): Promise<void> {
    await this.#each(rows, async (partitionKey, rowKeys) => {
      await this.#tables.transact(
        'searchindex',
        partitionKey,
        rowKeys.map((rowKey) => ({ kind: 'upsert', rowKey, properties: {} })),
      );
    });
  }

  /** Removes rows; those that are gone are passed over. */
  async remove(rows: readonly IndexRow[]): Promise<void> {
    await this.#each(rows, async (partitionKey, rowKeys) => {
      let left = rowKeys;
      while (left.length > 0) {
        const outcome = await this.#tables.transact(
          'searchindex',
          partitionKey,
          left.map((rowKey) => ({ kind: 'delete', rowKey })),
        );
        if (outcome.committed) return;
        const { index } = outcome;
        if (index === undefined && left.length > 1) {
          await allOf(left.map(async (rowKey) => await this.#removeOne(partitionKey, rowKey)));
          return;
        }
        left = left.filter((_, position) => position !== (index ?? 0));
      }
    });
  }

  async #removeOne(partitionKey: string, rowKey: string): Promise<void> {
    await this.#tables.transact('searchindex', partitionKey, [{ kind: 'delete', rowKey }]);
  }

  async #each(
    rows: readonly IndexRow[],
    act: (partitionKey: string, rowKeys: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const addresses = rows.map(addressOf);
    const groups = groupBy(addresses, ({ partitionKey }) => partitionKey);
    await allOf(
      [...groups].flatMap(([partitionKey, group]) =>
        chunksOfSize(
          [...new Set(group.map(({ rowKey }) => rowKey))],
          tableLimits.transactionOperations,
        ).map(async (rowKeys) => await act(partitionKey, rowKeys)),
      ),
    );
  }

  /**
   * Walks the rows of an attribute in key order: by value (dates from the latest on), within a value
   * from the newest on.
   */
  async *walk(
    partition: Partition,
    { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
    sought: SoughtValues,
    options: RowPagesOptions,
  ): AsyncGenerator<IndexHit, void, undefined> {
    const value = sought.kind === 'value' ? indexedValue(tag, sought.value) : '';
    const partitionKey = indexPartitionKey(partition, level, tag, value);
    const range = { partitionKey, ...rangeOf(tag, sought) };
    for await (const { rows, isLast } of rowPages(this.#tables, 'searchindex', range, options)) {
      for (const [position, { rowKey }] of rows.entries()) {
        const last = isLast && position === rows.length - 1;
        yield { ...parseIndexRowKey(rowKey), rowKey, last };
      }
    }
  }
}
