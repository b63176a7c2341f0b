/** Reading a range of rows page by page. */
import {
  tableLimits,
  type Entity,
  type RowRange,
  type TableName,
  type TableStore,
} from './table-store.js';

export interface RowPagesOptions {
  /** Rows of the first page; later pages are full. Full pages when left out. */
  readonly firstPageRows?: number;
  /** Names of the properties to return; all when left out. */
  readonly select?: readonly string[];
  /** The rows after this one only. */
  readonly after?: string;
  /** The rows from this one on only. */
  readonly at?: string;
  /** Told of every call. */
  readonly onPage?: () => void;
  readonly signal?: AbortSignal;
}

/** Sorts before every character of a key. */
const beforeEveryCharacter = ' ';

export interface RowPage {
  /** Never empty. */
  readonly rows: readonly Entity[];
  /** Nothing follows. Where it says otherwise, something may. */
  readonly isLast: boolean;
}

/** The pages of a range, in order of RowKey; every page costs one call, empty ones are passed over. */
export async function* rowPages(
  tables: TableStore,
  table: TableName,
  range: RowRange,
  options: RowPagesOptions = {},
): AsyncGenerator<RowPage, void, undefined> {
  const { firstPageRows = tableLimits.pageRows, select, after, at, onPage, signal } = options;
  const from = after === undefined ? (at ?? range.from) : after + beforeEveryCharacter;
  let limit = Math.min(Math.max(firstPageRows, 1), tableLimits.pageRows);
  let continuation: string | undefined;
  do {
    onPage?.();
    const page = await tables.query(
      table,
      { ...range, ...(from !== undefined && { from }) },
      {
        limit,
        ...(select && { select }),
        ...(continuation !== undefined && { continuation }),
        ...(signal && { signal }),
      },
    );
    continuation = page.continuation;
    const isLast = continuation === undefined;
    if (page.entities.length > 0) yield { rows: page.entities, isLast };
    limit = tableLimits.pageRows;
  } while (continuation !== undefined);
}
