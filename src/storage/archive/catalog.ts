/** The catalog: the rows that are the truth about a study, read and changed together. */
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPInstanceUID,
  StudyInstanceUID,
} from '../../dicom/uid.js';
import {
  tableLimits,
  type Entity,
  type RowRange,
  type TableOperation,
  type TableStore,
} from '../table-store.js';
import { rowPages, type RowPagesOptions } from '../row-pages.js';
import type { CatalogPlan, StudyState, Versioned } from './catalog-plan.js';
import {
  instanceRowKey,
  instanceRows,
  parseCatalogRowKey,
  seriesRowKey,
  studyAndSeriesRows,
  studyAndSeriesRowsUpTo,
  studyPartitionKey,
  studyRowKey,
  type Partition,
} from './keys.js';
import {
  decodeInstance,
  decodeSeries,
  decodeStudy,
  encodeSeries,
  encodeStudy,
  instanceProperties,
  type InstanceRecord,
  type SeriesRecord,
  type StudyRecord,
} from './records.js';

/** How instance rows are read; `after` only within a series. */
export interface InstancePaging extends Pick<RowPagesOptions, 'firstPageRows' | 'onPage'> {
  readonly after?: SOPInstanceUID;
}

export interface InstanceRow {
  readonly record: InstanceRecord;
  readonly entity: Entity;
}

/** The UIDs that a row of a study's partition stands for, and its record. */
function instanceRow(study: StudyInstanceUID, entity: Entity): InstanceRow {
  const key = parseCatalogRowKey(entity.rowKey);
  if (key.level !== 'instance') throw new RangeError('not an instance row');
  const { series, instance } = key;
  return { record: decodeInstance({ study, series, instance }, entity), entity };
}

/** Rows of one study. */
export interface StudyWithSeries {
  readonly study: StudyRecord | undefined;
  readonly series: ReadonlyMap<SeriesInstanceUID, SeriesRecord>;
}

/** Rows of other series that are read along rather than asking for every row by itself. */
const seriesPassedOver = 32;

export class Catalog {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /** The study row and all series rows. */
  async state(partition: Partition, study: StudyInstanceUID): Promise<StudyState> {
    let studyRow: Versioned<StudyRecord> | undefined;
    const series = new Map<SeriesInstanceUID, Versioned<SeriesRecord>>();
    for await (const { rows } of this.#pages(studyAndSeriesRows(partition, study))) {
      for (const entity of rows) {
        const key = parseCatalogRowKey(entity.rowKey);
        const { etag } = entity;
        if (key.level === 'study') studyRow = { record: decodeStudy(entity), etag };
        if (key.level === 'series') series.set(key.series, { record: decodeSeries(entity), etag });
      }
    }
    return { study: studyRow, series };
  }

  async study(partition: Partition, study: StudyInstanceUID): Promise<StudyRecord | undefined> {
    const entity = await this.#get(partition, study, studyRowKey);
    return entity && decodeStudy(entity);
  }

  async series(
    partition: Partition,
    study: StudyInstanceUID,
    series: SeriesInstanceUID,
  ): Promise<SeriesRecord | undefined> {
    const entity = await this.#get(partition, study, seriesRowKey(series));
    return entity && decodeSeries(entity);
  }

  /**
   * The study row and some of its series rows: one range query, as long as the study has no more than
   * about thirty series more than are asked for.
   */
  async withSeries(
    partition: Partition,
    study: StudyInstanceUID,
    wanted: ReadonlySet<SeriesInstanceUID>,
  ): Promise<StudyWithSeries> {
    const series = new Map<SeriesInstanceUID, SeriesRecord>();
    let record: StudyRecord | undefined;
    const { entities, continuation } = await this.#tables.query(
      'catalog',
      studyAndSeriesRowsUpTo(partition, study, wanted),
      { limit: Math.min(wanted.size + seriesPassedOver, tableLimits.pageRows) },
    );
    for (const entity of entities) {
      const key = parseCatalogRowKey(entity.rowKey);
      if (key.level === 'study') record = decodeStudy(entity);
      if (key.level === 'series' && wanted.has(key.series)) {
        series.set(key.series, decodeSeries(entity));
      }
    }
    if (continuation === undefined) return { study: record, series };
    record ??= await this.study(partition, study);
    const left = [...wanted].filter((uid) => !series.has(uid));
    const rows = await Promise.all(
      left.map(async (uid) => await this.series(partition, study, uid)),
    );
    for (const row of rows) {
      if (row !== undefined) series.set(row.series, row);
    }
    return { study: record, series };
  }

  /**
   * One instance row.
   *
   * @param select - properties to read; all when left out.
   */
  async instance(
    partition: Partition,
    uids: InstanceUids,
    select?: readonly string[],
  ): Promise<InstanceRow | undefined> {
    const entity = await this.#get(partition, uids.study, instanceRowKey(uids), select);
    return entity && instanceRow(uids.study, entity);
  }

  /** The instance rows of a study or series, in order of their UIDs, a page of up to 1000 a time. */
  async *instances(
    partition: Partition,
    study: StudyInstanceUID,
    series: SeriesInstanceUID | undefined,
    select: readonly string[] | 'all' = instanceProperties,
    { after, ...paging }: InstancePaging = {},
  ): AsyncGenerator<readonly InstanceRow[], void, undefined> {
    const range = instanceRows(partition, study, series);
    for await (const { rows } of this.#pages(range, {
      ...paging,
      ...(after !== undefined &&
        series !== undefined && { after: instanceRowKey({ series, instance: after }) }),
      ...(select !== 'all' && { select }),
    })) {
      yield rows.map((entity) => instanceRow(study, entity));
    }
  }

  #pages(range: RowRange, options?: RowPagesOptions) {
    return rowPages(this.#tables, 'catalog', range, options);
  }

  async #get(
    partition: Partition,
    study: StudyInstanceUID,
    rowKey: string,
    select?: readonly string[],
  ): Promise<Entity | undefined> {
    return await this.#tables.get(
      'catalog',
      studyPartitionKey(partition, study),
      rowKey,
      select && { select },
    );
  }

  /**
   * Carries out a plan together with changes of instance rows, all or none, provided that the study
   * and series rows are still as `state` has them.
   *
   * @returns the state after it, or which kind of row stood in the way.
   */
  async commit(
    partition: Partition,
    study: StudyInstanceUID,
    state: StudyState,
    plan: CatalogPlan,
    instanceOperations: readonly TableOperation[],
  ): Promise<CommitOutcome> {
    const above: TableOperation[] = [
      guarded(studyRowKey, state.study?.etag, plan.study && encodeStudy(plan.study)),
      ...[...plan.series].map(([uid, record]) =>
        guarded(seriesRowKey(uid), state.series.get(uid)?.etag, record && encodeSeries(record)),
      ),
    ];
    const outcome = await this.#tables.transact('catalog', studyPartitionKey(partition, study), [
      ...above,
      ...instanceOperations,
    ]);
    if (!outcome.committed) {
      const { index } = outcome;
      return index !== undefined && index >= above.length
        ? { committed: false, instance: index - above.length }
        : { committed: false, instance: undefined };
    }
    const [studyEtag, ...seriesEtags] = outcome.etags;
    const series = new Map(state.series);
    [...plan.series].forEach(([uid, record], position) => {
      const etag = seriesEtags[position];
      if (record === undefined || etag === undefined) series.delete(uid);
      else series.set(uid, { record, etag });
    });
    return {
      committed: true,
      state: {
        study:
          plan.study && studyEtag !== undefined
            ? { record: plan.study, etag: studyEtag }
            : undefined,
        series,
      },
    };
  }
}

export type CommitOutcome =
  | { readonly committed: true; readonly state: StudyState }
  | {
      readonly committed: false;
      /** Index of the instance operation that clashed; `undefined` for any other row. */
      readonly instance: number | undefined;
    };

function guarded(
  rowKey: string,
  etag: string | undefined,
  properties: ReturnType<typeof encodeStudy> | undefined,
): TableOperation {
  if (properties === undefined) {
    return { kind: 'delete', rowKey, ...(etag !== undefined && { etag }) };
  }
  return etag === undefined
    ? { kind: 'insert', rowKey, properties }
    : { kind: 'replace', rowKey, properties, etag };
}
