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
  type Properties,
  type RowRange,
  type TableOperation,
  type TableStore,
} from '../table-store.js';
import { rowPages, type RowPagesOptions } from '../row-pages.js';
import {
  afterRow,
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
  decodeGuard,
  decodeInstance,
  decodeSeries,
  decodeStudyRow,
  decodeStudyVersion,
  encodeSeries,
  encodeStudyRow,
  guardProperties,
  instanceProperties,
  noGuard,
  recordLength,
  type InstanceRecord,
  type SeriesRecord,
  type StudyGuard,
  type StudyRecord,
  type StudyVersion,
  versionProperties,
} from './records.js';
import type { CatalogPlan, StudyState, Versioned } from './study-state.js';
import type { Ulid } from './ulid.js';

/** How instance rows are read; `after` only within a series, `behind` within a study. */
export interface InstancePaging extends Pick<RowPagesOptions, 'firstPageRows' | 'onPage'> {
  readonly after?: SOPInstanceUID;
  readonly behind?: Omit<InstanceUids, 'study'>;
}

export interface InstanceRow {
  readonly record: InstanceRecord;
  readonly entity: Entity;
}

/** The UIDs that a row of a study's partition stands for, and its record. */
export function instanceRow(study: StudyInstanceUID, entity: Entity): InstanceRow {
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

/** Series whose rows are asked for one by one rather than with all of a study. */
const mostPointReads = 4;
/** Rows of other series that are read along rather than asking for every row by itself. */
const seriesPassedOver = 32;

export class Catalog {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /** The study row and all series rows. */
  async state(partition: Partition, study: StudyInstanceUID): Promise<StudyState> {
    let studyRow: Entity | undefined;
    const series = new Map<SeriesInstanceUID, Versioned<SeriesRecord>>();
    for await (const { rows } of this.#pages(studyAndSeriesRows(partition, study))) {
      for (const entity of rows) {
        const key = parseCatalogRowKey(entity.rowKey);
        if (key.level === 'study') studyRow = entity;
        if (key.level === 'series') series.set(key.series, versioned(decodeSeries(entity), entity));
      }
    }
    const record = decodeStudyRow(studyRow);
    return {
      guard: decodeGuard(studyRow),
      study: studyRow && record && versioned(record, studyRow),
      series,
    };
  }

  /**
   * The same, of a study that others write: what was known of series that are not asked for stands as it was. Where it
   * is no longer true, the ETags of its rows tell whoever commits.
   */
  async stateSince(
    before: StudyState,
    partition: Partition,
    study: StudyInstanceUID,
    wanted: ReadonlySet<SeriesInstanceUID>,
  ): Promise<StudyState> {
    const known = before.study?.record.created;
    if (known === undefined || wanted.size > mostPointReads)
      return await this.state(partition, study);
    const [studyRow, ...rows] = await Promise.all([
      this.#get(partition, study, studyRowKey),
      ...[...wanted].map(async (uid) => await this.#get(partition, study, seriesRowKey(uid))),
    ]);
    const record = decodeStudyRow(studyRow);
    // Another study of the same UID has other series.
    if (record?.created !== known) return await this.state(partition, study);
    const series = new Map(before.series);
    for (const [position, uid] of [...wanted].entries()) {
      const row = rows[position];
      if (row === undefined) series.delete(uid);
      else series.set(uid, versioned(decodeSeries(row), row));
    }
    return { guard: decodeGuard(studyRow), study: studyRow && versioned(record, studyRow), series };
  }

  /** The row of a study, whether it is there or gone. */
  async studyRow(
    partition: Partition,
    study: StudyInstanceUID,
  ): Promise<{ readonly guard: StudyGuard; readonly record: StudyRecord | undefined }> {
    const row = await this.#get(partition, study, studyRowKey);
    return { guard: decodeGuard(row), record: decodeStudyRow(row) };
  }

  /** What guards the row of a study: one point read of a few numbers. */
  async guard(partition: Partition, study: StudyInstanceUID): Promise<StudyGuard> {
    return decodeGuard(await this.#get(partition, study, studyRowKey, guardProperties));
  }

  /**
   * Writes the study row as it is, so that nothing can be committed any more that was to be under the
   * revision it has had so far.
   *
   * @returns whether it was; `false` when the row has another revision.
   */
  async fence(partition: Partition, study: StudyInstanceUID, revision: number): Promise<boolean> {
    const row = await this.#get(partition, study, studyRowKey);
    const guard = decodeGuard(row);
    if (guard.revision !== revision) return false;
    const properties =
      row === undefined
        ? encodeStudyRow(undefined, { ...noGuard, revision: 1 })
        : { ...row.properties, revision: revision + 1 };
    const outcome = await this.#tables.transact('catalog', studyPartitionKey(partition, study), [
      guarded(studyRowKey, guard.etag, properties),
    ]);
    return outcome.committed;
  }

  async study(partition: Partition, study: StudyInstanceUID): Promise<StudyRecord | undefined> {
    const entity = await this.#get(partition, study, studyRowKey);
    return decodeStudyRow(entity);
  }

  /** What changes with every change in a study: a point read of less than the study. */
  async studyVersion(
    partition: Partition,
    study: StudyInstanceUID,
  ): Promise<StudyVersion | undefined> {
    return decodeStudyVersion(await this.#get(partition, study, studyRowKey, versionProperties));
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
      if (key.level === 'study') record = decodeStudyRow(entity);
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
    { after, behind, ...paging }: InstancePaging = {},
  ): AsyncGenerator<readonly InstanceRow[], void, undefined> {
    const range = instanceRows(partition, study, series);
    for await (const { rows } of this.#pages(range, {
      ...paging,
      ...(after !== undefined &&
        series !== undefined && { after: instanceRowKey({ series, instance: after }) }),
      ...(behind !== undefined && { after: instanceRowKey(behind) }),
      ...(select !== 'all' && { select }),
    })) {
      yield rows.map((entity) => instanceRow(study, entity));
    }
  }

  /** The versions of the instances from one to another, by the keys of their rows. */
  async versionsBetween(
    partition: Partition,
    study: StudyInstanceUID,
    first: Omit<InstanceUids, 'study'>,
    last: Omit<InstanceUids, 'study'>,
  ): Promise<ReadonlyMap<string, Ulid>> {
    const versions = new Map<string, Ulid>();
    const from = instanceRowKey(first);
    const range = { ...instanceRows(partition, study), from, to: afterRow(instanceRowKey(last)) };
    for await (const { rows } of this.#pages(range, { select: ['version'] })) {
      for (const entity of rows) {
        versions.set(entity.rowKey, instanceRow(study, entity).record.version);
      }
    }
    return versions;
  }

  #pages(range: RowRange, options?: RowPagesOptions) {
    return rowPages(this.#tables, 'catalog', range, options);
  }

  #get(
    partition: Partition,
    study: StudyInstanceUID,
    rowKey: string,
    select?: readonly string[],
  ): Promise<Entity | undefined> {
    return this.#tables.get(
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
   * @param noted - the intent that is carried out, and those before that the row need not name any more.
   * @returns the state after it, or that another write was faster.
   */
  async commit(
    partition: Partition,
    study: StudyInstanceUID,
    state: StudyState,
    plan: CatalogPlan,
    instanceOperations: readonly TableOperation[],
    noted?: { readonly intent: number; readonly isClosed: (intent: number) => boolean },
  ): Promise<CommitOutcome> {
    const { etag, revision, last, commits } = state.guard;
    const guard = {
      revision: revision + 1,
      last: Math.max(last, noted?.intent ?? 0),
      commits:
        noted === undefined
          ? commits
          : [...commits.filter((intent) => !noted.isClosed(intent)), noted.intent],
    };
    const studyRow = encodeStudyRow(plan.study, guard);
    const seriesRows = [...plan.series].map(([uid, record]) => {
      return { uid, record, properties: record && encodeSeries(record) };
    });
    const above: TableOperation[] = [
      guarded(studyRowKey, etag, studyRow),
      ...seriesRows.map(({ uid, properties }) =>
        guarded(seriesRowKey(uid), state.series.get(uid)?.etag, properties),
      ),
    ];
    const outcome = await this.#tables.transact('catalog', studyPartitionKey(partition, study), [
      ...above,
      ...instanceOperations,
    ]);
    if (!outcome.committed) {
      const instance = (outcome.index ?? above.length) - above.length;
      return { committed: false, isOfInstance: instance >= 0 };
    }
    const [studyEtag, ...seriesEtags] = outcome.etags;
    const series = new Map(state.series);
    for (const [position, { uid, record, properties }] of seriesRows.entries()) {
      const seriesEtag = seriesEtags[position];
      if (record === undefined || properties === undefined || seriesEtag === undefined) {
        series.delete(uid);
      } else series.set(uid, versioned(record, { etag: seriesEtag, properties }));
    }
    const isThere = plan.study !== undefined && studyEtag !== undefined;
    return {
      committed: true,
      state: {
        guard: { ...guard, etag: studyEtag },
        study: isThere
          ? versioned(plan.study, { etag: studyEtag, properties: studyRow })
          : undefined,
        series,
      },
    };
  }
}

export type CommitOutcome =
  | { readonly committed: true; readonly state: StudyState }
  /** `isOfInstance`: the row of an instance was not as expected, or may not have been. */
  | { readonly committed: false; readonly isOfInstance: boolean };

/** A record with what it needs to be of its row. */
export function versioned<Record>(
  record: Record,
  { etag, properties }: Pick<Entity, 'etag' | 'properties'>,
): Versioned<Record> {
  return { record, etag, length: recordLength(properties) };
}

function guarded(
  rowKey: string,
  etag: string | undefined,
  properties: Properties | undefined,
): TableOperation {
  if (properties === undefined) {
    return { kind: 'delete', rowKey, ...(etag !== undefined && { etag }) };
  }
  return etag === undefined
    ? { kind: 'insert', rowKey, properties }
    : { kind: 'replace', rowKey, properties, etag };
}
