/**
 * The index rows by which studies, series and instances are found. A row is a hint, never a truth:
 * it is written before the commit that makes it true, removed after the one that makes it false,
 * and whoever reads it asks the catalog.
 */
import type { DataSet } from '../../../dicom/data-set.js';
import { vrOf } from '../../../dicom/dictionary.js';
import { normalisedValues } from '../../../dicom/normalise.js';
import { parseTag, type Tag } from '../../../dicom/tag.js';
import { chunksOfSize, groupBy } from '../../../group-by.js';
import { tableLimits, type RowRange, type TableName, type TableStore } from '../../table-store.js';
import { allOf, allOfAtATime } from '../all-of.js';
import { rowPages, type RowPage, type RowPagesOptions } from '../../row-pages.js';
import { indexedAttributes } from './attributes.js';
import { keysOfRanges } from './key-stretches.js';
import { judgeElement, noTags, tagsOf, type TagSet } from './query-tags.js';
import {
  encodeValue,
  indexPartitionKey,
  indexRowKey,
  parseIndexRowKey,
  parseWordRowKey,
  rowsOfInterval,
  rowsOfPrefix,
  rowsOfValue,
  wordPartitionKey,
  wordRowKey,
  wordsOf,
  type IndexedUids,
  type IndexRowKey,
  type Level,
  type Partition,
} from '../keys.js';
import type { Indexes } from '../records.js';
import type { Ulid } from '../ulid.js';
import { againstOrder, anyEnding, hasOnlyWords, turnedRound, wordRowsOf } from './word-index.js';

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
 * @param set - the query tags that are indexed as well; what is known of others goes.
 */
export function changeIndexes(
  owner: IndexOwner,
  attributes: DataSet,
  known: Indexes,
  write: Ulid,
  set: TagSet = noTags,
): IndexChange {
  const indexes: Record<string, Indexes[string]> = {};
  const added: IndexRow[] = [];
  const change = (tag: Tag, texts: readonly string[]): void => {
    // Not plain objects: a value may be `constructor`.
    const before = new Map(Object.entries(known[tag] ?? {}));
    const values = new Map<string, Ulid>();
    for (const text of texts) {
      const value = indexedValue(tag, text);
      const previous = before.get(value);
      if (previous === undefined && !values.has(value)) added.push({ ...owner, tag, value, write });
      values.set(value, previous ?? write);
    }
    if (values.size > 0) indexes[tag] = Object.fromEntries(values);
  };
  for (const { level, tag } of indexedAttributes) {
    if (level === owner.level) change(tag, normalisedValues(attributes[tag]));
  }
  for (const tag of tagsOf(set, owner.level)) {
    const judged = judgeElement(attributes[tag.tag], tag);
    change(tag.tag, judged.kind === 'value' ? normalisedValues(judged.element) : []);
  }
  return { indexes, added, removed: rowsOf(owner, valuesWithout(known, indexes)) };
}

/** Where a row is. */
export interface Address {
  readonly table: Extract<TableName, 'searchindex' | 'searchwords'>;
  readonly partitionKey: string;
  readonly rowKey: string;
}

/** Identifies a row among all. */
export function addressOf(row: IndexRow): Address {
  return {
    table: 'searchindex',
    partitionKey: indexPartitionKey(row.partition, row.level, row.tag, row.value),
    rowKey: indexRowKey(row),
  };
}

/** Where the words of the value of a row are. */
export function wordAddressesOf(row: IndexRow): readonly Address[] {
  const partitionKey = wordPartitionKey(row.partition, row.level);
  return wordRowsOf(row.level, row.tag, row.value).map((value) => ({
    table: 'searchwords',
    partitionKey,
    rowKey: wordRowKey(row.tag, { ...row, value }),
  }));
}

/** The row itself, unless the words of its value say all that it would, and those words. */
export function addressesOf(row: IndexRow): readonly Address[] {
  const words = wordAddressesOf(row);
  return hasOnlyWords(row.level, row.tag) ? words : [addressOf(row), ...words];
}

/** With what the keys of the rows begin by which an order is walked backwards, of one value. */
export function firstKeyAgainst(tag: Tag, value: string): string {
  return wordsOf(tag, rowsOfValue(turnedRound(value)).from);
}

/** A row as read, with its key: the place after which a later walk goes on. */
export interface IndexHit extends IndexRowKey {
  readonly rowKey: string;
  /** Nothing follows. Where it says otherwise, something may. */
  readonly last: boolean;
}

/** Which rows of an attribute are sought; values are normalised. */
export type SoughtValues =
  /** All, against the order of their keys (`hasOrder`). */
  | { readonly kind: 'reverse' }
  /** `beginning` as `beginningOfEndings` has it. */
  | { readonly kind: 'part'; readonly beginning: string }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | {
      readonly kind: 'interval';
      readonly from: string | undefined;
      readonly to: string | undefined;
    };

/** Sought values themselves, in the order of their keys. */
export type SoughtRange = Exclude<SoughtValues, { readonly kind: 'part' | 'reverse' }>;

/** The sought rows of an attribute, within its partition. */
export function rangeOf(tag: Tag, sought: SoughtRange): Omit<RowRange, 'partitionKey'> {
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

/** Rows go behind answers: from so many partitions at a time, so that requests are not held up. */
const removedAtATime = 4;

/** Rows of one partition that fit into a transaction. */
interface RowGroup {
  readonly table: TableName;
  readonly partitionKey: string;
  readonly rowKeys: readonly string[];
}

/** Rows and their words by partition. */
function groupsOf(rows: readonly IndexRow[]): readonly RowGroup[] {
  const partitions = groupBy(rows.flatMap(addressesOf), ({ table, partitionKey }) =>
    JSON.stringify([table, partitionKey]),
  );
  return [...partitions.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { table, partitionKey } = first;
    const keys = [...new Set(group.map(({ rowKey }) => rowKey))];
    return chunksOfSize(keys, tableLimits.transactionOperations).map((rowKeys) => ({
      table,
      partitionKey,
      rowKeys,
    }));
  });
}

export class SearchIndex {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /** Writes rows and their words, those of one partition together, all partitions at once. */
  async insert(rows: readonly IndexRow[]): Promise<void> {
    await allOf(
      groupsOf(rows).map(async ({ table, partitionKey, rowKeys }) => {
        await this.#tables.transact(
          table,
          partitionKey,
          rowKeys.map((rowKey) => ({ kind: 'upsert', rowKey, properties: {} })),
        );
      }),
    );
  }

  /** Removes rows and their words; those that are gone are passed over. */
  async remove(rows: readonly IndexRow[]): Promise<void> {
    await allOfAtATime(removedAtATime, groupsOf(rows), async (group) => {
      await this.#removeGroup(group);
    });
  }

  async #removeGroup({ table, partitionKey, rowKeys }: RowGroup): Promise<void> {
    let left = rowKeys;
    while (left.length > 0) {
      const outcome = await this.#tables.transact(
        table,
        partitionKey,
        left.map((rowKey) => ({ kind: 'delete', rowKey })),
      );
      if (outcome.committed) return;
      const { index } = outcome;
      if (index === undefined && left.length > 1) {
        await allOf(left.map(async (rowKey) => await this.#removeOne(table, partitionKey, rowKey)));
        return;
      }
      left = left.filter((_, position) => position !== (index ?? 0));
    }
  }

  async #removeOne(table: TableName, partitionKey: string, rowKey: string): Promise<void> {
    await this.#tables.transact(table, partitionKey, [{ kind: 'delete', rowKey }]);
  }

  /**
   * The keys of the sought rows, page by page and in no order, several stretches of them at once; a row that has
   * several of the sought values comes with each.
   */
  keys(
    partition: Partition,
    { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
    sought: readonly SoughtRange[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly string[], void, undefined> {
    const partitionKey = indexPartitionKey(partition, level, tag, '');
    const ranges = sought.map((one) => ({ partitionKey, ...rangeOf(tag, one) }));
    return keysOfRanges(this.#tables, ranges, signal);
  }

  /** Every row of an attribute that has one shard, page by page. */
  async *rowsOfAttribute(
    partition: Partition,
    { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
  ): AsyncGenerator<readonly IndexRow[], void, undefined> {
    const range = { partitionKey: indexPartitionKey(partition, level, tag, '') };
    for await (const { rows } of rowPages(this.#tables, 'searchindex', range, { select: [] })) {
      yield rows.map(({ rowKey }) => ({ ...parseIndexRowKey(rowKey), partition, level, tag }));
    }
  }

  /**
   * Walks the rows of an attribute in key order: by value (dates from the latest on), within a value
   * from the newest on. Of parts, by the endings that begin with them; then come the values whose endings
   * had no room, which have the ending `anyEnding`.
   */
  async *walk(
    partition: Partition,
    { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
    sought: SoughtValues,
    options: RowPagesOptions,
  ): AsyncGenerator<IndexHit, void, undefined> {
    if (sought.kind === 'part' || sought.kind === 'reverse') {
      // Both at once: where all values have room there is nothing in the second.
      const beginnings = sought.kind === 'part' ? [sought.beginning, anyEnding] : [againstOrder];
      yield* this.#walkWords(partition, { level, tag }, beginnings, options);
      return;
    }
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

  async *#walkWords(
    partition: Partition,
    { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
    beginnings: readonly string[],
    options: RowPagesOptions,
  ): AsyncGenerator<IndexHit, void, undefined> {
    const partitionKey = wordPartitionKey(partition, level);
    const from = options.after ?? options.at ?? '';
    const walks = beginnings
      .map((one) => rowsOfPrefix(wordsOf(tag, one)))
      .filter(({ to = '' }) => from < to)
      .map((range) => {
        const isWithin = range.from !== undefined && from > range.from;
        const { after, at, ...others } = options;
        const start = { ...(after !== undefined && { after }), ...(at !== undefined && { at }) };
        return rowPages(
          this.#tables,
          'searchwords',
          { partitionKey, ...range },
          isWithin ? { ...others, ...start } : others,
        );
      });
    const firsts = walks.map(async (walk) => await walk.next());
    for (const first of firsts) first.catch(() => undefined);
    try {
      for (const [position, walk] of walks.entries()) {
        let page = await firsts[position];
        while (page !== undefined && page.done !== true) {
          const { rows, isLast } = page.value;
          const isEnd = isLast && (await noneHas(firsts.slice(position + 1)));
          for (const [at, { rowKey }] of rows.entries()) {
            yield { ...parseWordRowKey(rowKey), rowKey, last: isEnd && at === rows.length - 1 };
          }
          page = await walk.next();
        }
      }
    } finally {
      await Promise.all(walks.map(async (walk) => await walk.return()));
    }
  }
}

async function noneHas(pages: readonly Promise<IteratorResult<RowPage, void>>[]): Promise<boolean> {
  return (await Promise.all(pages)).every((page) => page.done === true);
}
