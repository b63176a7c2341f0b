/** Walking through everything that a store has, page by page, and asking about many things at once. */
import { chunksOfSize } from '../../../group-by.js';
import type { BlobStore, ContainerName, ListedBlob } from '../../blob-store.js';
import { rowPages } from '../../row-pages.js';
import type { Entity, RowRange, TableName, TableStore } from '../../table-store.js';

interface Continued {
  readonly continuation?: string;
}

async function* pages<Page extends Continued>(
  read: (continuation: Continued) => Promise<Page>,
): AsyncGenerator<Page, void, undefined> {
  let continuation: string | undefined;
  do {
    const page = await read(continuation === undefined ? {} : { continuation });
    yield page;
    continuation = page.continuation;
  } while (continuation !== undefined);
}

/** The pages of a whole table, by PartitionKey, then RowKey. */
export async function* tablePages(
  tables: TableStore,
  table: TableName,
  select: readonly string[],
): AsyncGenerator<readonly Entity[], void, undefined> {
  for await (const { entities } of pages((at) => tables.scan(table, { select, ...at }))) {
    yield entities;
  }
}

/** The rows of a range, in order. */
export async function* rowsInRange(
  tables: TableStore,
  table: TableName,
  range: RowRange,
  select?: readonly string[],
): AsyncGenerator<Entity, void, undefined> {
  for await (const { rows } of rowPages(tables, table, range, select && { select })) yield* rows;
}

/** The blobs of a container whose names begin with a prefix, in order. */
export async function* blobsBelow(
  blobs: BlobStore,
  container: ContainerName,
  prefix?: string,
): AsyncGenerator<ListedBlob, void, undefined> {
  const options = prefix === undefined ? {} : { prefix };
  for await (const page of pages((at) => blobs.list(container, { ...options, ...at }))) {
    yield* page.blobs;
  }
}

const atOnce = 32;

/** Does something for each item, for some of them at a time. */
export async function forEachOf<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  for (const some of chunksOfSize(items, atOnce)) await Promise.all(some.map(act));
}

/** Those items for which the answer is yes, in order; asks about some of them at a time. */
export async function filterAsync<Item>(
  items: readonly Item[],
  test: (item: Item) => Promise<boolean>,
): Promise<readonly Item[]> {
  const kept: Item[] = [];
  for (const some of chunksOfSize(items, atOnce)) {
    const answers = await Promise.all(some.map(test));
    kept.push(...some.filter((_, position) => answers[position] === true));
  }
  return kept;
}
