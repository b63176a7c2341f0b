/**
 * Reads instances as they were before they were first updated: the row of such a version, and its files, are kept
 * beside those of the newest.
 */
import type { InstanceUids, StudyInstanceUID } from '../../dicom/uid.js';
import { rowPages } from '../row-pages.js';
import type { Entity, TableStore } from '../table-store.js';
import type { Catalog, InstanceRow } from './catalog.js';
import {
  originalRowKey,
  originalRows,
  parseCatalogRowKey,
  studyPartitionKey,
  type Partition,
} from './keys.js';
import { decodeInstance } from './records.js';

function rowOf({ study, series, instance }: InstanceUids, entity: Entity): InstanceRow {
  return { record: decodeInstance({ study, series, instance }, entity), entity };
}

/** Looks at a row that changes under every look; then it counts as gone. */
const mostLooks = 8;

export class Originals {
  readonly #tables: TableStore;
  readonly #catalog: Pick<Catalog, 'instance'>;

  constructor(tables: TableStore, catalog: Pick<Catalog, 'instance'>) {
    this.#tables = tables;
    this.#catalog = catalog;
  }

  /**
   * An instance as it was before its first update, or as it is when there was none.
   *
   * @param select - properties to read; all when left out.
   * @returns `undefined` when it is not there.
   */
  async instance(
    partition: Partition,
    uids: InstanceUids,
    select?: readonly string[],
  ): Promise<InstanceRow | undefined> {
    for (let look = 0; look < mostLooks; look++) {
      const row = await this.#catalog.instance(partition, uids, select);
      if (row?.record.original === undefined) return row;
      const entity = await this.#tables.get(
        'catalog',
        studyPartitionKey(partition, uids.study),
        originalRowKey(uids),
        select && { select },
      );
      // Else the instance was deleted or replaced between the two reads.
      if (entity !== undefined) return rowOf(uids, entity);
    }
    return undefined;
  }

  /**
   * Pages of instance rows with the originals in place of those that were updated: a query more for a page that has
   * any. What was deleted meanwhile is left out.
   *
   * @param select - as the pages were read.
   */
  async *of(
    partition: Partition,
    study: StudyInstanceUID,
    pages: AsyncIterable<readonly InstanceRow[]>,
    select: readonly string[] | 'all',
  ): AsyncGenerator<readonly InstanceRow[], void, undefined> {
    for await (const rows of pages) {
      const updated = rows.filter(({ record }) => record.original !== undefined);
      const [first, last] = [updated[0], updated.at(-1)];
      if (first === undefined || last === undefined) {
        yield rows;
        continue;
      }
      const originals = await this.#between(partition, study, first, last, select);
      const shown: InstanceRow[] = [];
      for (const row of rows) {
        const { record } = row;
        const original =
          record.original === undefined
            ? row
            : (originals.get(originalRowKey(record)) ??
              (await this.instance(partition, record, select === 'all' ? undefined : select)));
        if (original !== undefined) shown.push(original);
      }
      yield shown;
    }
  }

  async #between(
    partition: Partition,
    study: StudyInstanceUID,
    first: InstanceRow,
    last: InstanceRow,
    select: readonly string[] | 'all',
  ): Promise<ReadonlyMap<string, InstanceRow>> {
    const found = new Map<string, InstanceRow>();
    const range = originalRows(partition, study, first.record, last.record);
    const options = select === 'all' ? {} : { select };
    for await (const { rows } of rowPages(this.#tables, 'catalog', range, options)) {
      for (const entity of rows) {
        const key = parseCatalogRowKey(entity.rowKey);
        if (key.level !== 'original') continue;
        found.set(entity.rowKey, rowOf({ study, ...key }, entity));
      }
    }
    return found;
  }
}
