/**
 * The browse index: a covering copy of every study row, newest first, so that a page of the study
 * list is one range query. A copy whose study may not be there says so, and whoever reads it asks the
 * catalog. A copy follows its study within a second; in the process that wrote, at once.
 */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import { timeBudgets } from '../../../time-budgets.js';
import { rowPages, type RowPagesOptions } from '../../row-pages.js';
import type { Runtime } from '../../runtime.js';
import type { Entity, Properties, TableStore } from '../../table-store.js';
import { backOff } from '../../back-off.js';
import type { Catalog } from '../catalog.js';
import {
  browsePartitionKey,
  browseRowKey,
  browseRowsBetween,
  parseBrowseRowKey,
  type Partition,
} from '../keys.js';
import { decodeStudy, encodeStudy, type StudyRecord } from '../records.js';
import type { Ulid } from '../ulid.js';

/** A copy as read. */
export interface BrowsedStudy {
  readonly record: StudyRecord;
  /** The study may be gone, or not be there yet: ask the catalog. */
  readonly unsure: boolean;
  /** The place after which a later walk goes on. */
  readonly rowKey: string;
  readonly etag: string;
  /** When the copy was written, by the clock of storage. */
  readonly timestamp: number;
}

/** A page of the study list: which studies there are, or may be. */
export interface StudyMarks {
  readonly marks: readonly {
    readonly study: StudyInstanceUID;
    readonly created: Ulid;
    readonly unsure: boolean;
  }[];
  /** Nothing follows. */
  readonly isLast: boolean;
}

function encode(record: StudyRecord, unsure: boolean) {
  return { ...encodeStudy(record), revision: record.revision, unsure };
}

function browsedStudy(entity: Entity): BrowsedStudy {
  const { rowKey, etag, timestamp, properties } = entity;
  const { study } = parseBrowseRowKey(rowKey);
  return {
    record: { ...decodeStudy(entity), study },
    unsure: properties['unsure'] === true,
    ...{ rowKey, etag, timestamp },
  };
}

export class BrowseIndex {
  readonly #tables: TableStore;
  readonly #runtime: Runtime;
  /** Studies that this process has committed and whose copies it has yet to write; `undefined` for those gone. */
  readonly #ahead = new Map<string, StudyRecord | undefined>();

  constructor(tables: TableStore, runtime: Runtime) {
    this.#tables = tables;
    this.#runtime = runtime;
  }

  /** This process has committed a study, or its end: from now on it sees that here. */
  committed(
    partition: Partition,
    created: Ulid,
    study: StudyInstanceUID,
    record?: StudyRecord,
  ): void {
    this.#ahead.set(partition + browseRowKey(created, study), record);
  }

  /** The copy of a study is no longer behind what this process has committed. */
  followed(
    partition: Partition,
    created: Ulid,
    study: StudyInstanceUID,
    record?: StudyRecord,
  ): void {
    const key = partition + browseRowKey(created, study);
    if (this.#ahead.get(key) === record) this.#ahead.delete(key);
  }

  /** A copy as this process knows it. */
  #known(partition: Partition, copy: BrowsedStudy): BrowsedStudy {
    const key = partition + copy.rowKey;
    if (!this.#ahead.has(key)) return copy;
    const record = this.#ahead.get(key);
    if (record === undefined) return { ...copy, unsure: true };
    return record.revision < copy.record.revision ? copy : { ...copy, record };
  }

  /**
   * The study of an unsure copy; `undefined` when it is not there. A doubt that its author has not cleared
   * up for long is settled. Whoever may be about to store or to delete the study is fenced off first: he
   * begins again, and announces or doubts it anew.
   */
  async confirm(
    catalog: Catalog,
    partition: Partition,
    copy: BrowsedStudy,
  ): Promise<StudyRecord | undefined> {
    const { study } = copy.record;
    const { guard, record } = await catalog.studyRow(partition, study);
    const now = record?.created === copy.record.created ? record : undefined;
    if (this.#tables.now() - copy.timestamp < timeBudgets.settleDoubt) return now;
    const settle = async () => {
      if (!(await catalog.fence(partition, study, guard.revision))) return;
      const { rowKey, etag } = copy;
      const properties = now && encode({ ...now, revision: guard.revision + 1 }, false);
      await this.#tables.transact('searchindex', browsePartitionKey(partition), [
        properties === undefined
          ? { kind: 'delete', rowKey, etag }
          : { kind: 'replace', rowKey, etag, properties },
      ]);
    };
    // The reader has what he came for.
    await settle().catch((error: unknown) => {
      if (!(error instanceof ServiceError)) throw error;
    });
    return now;
  }

  /** Announces a study before its first commit; answers the ETag of the copy. */
  async announce(partition: Partition, record: StudyRecord): Promise<string | undefined> {
    const outcome = await this.#tables.transact('searchindex', browsePartitionKey(partition), [
      {
        kind: 'upsert',
        rowKey: browseRowKey(record.created, record.study),
        properties: encode(record, true),
      },
    ]);
    return outcome.committed ? outcome.etags[0] : undefined;
  }

  /**
   * Brings the copy up to a committed record. A copy that is newer stays; one that is gone belongs
   * to a deleted study and stays gone.
   *
   * @param etag - of the copy, when this process wrote it last.
   * @returns the ETag of the copy when this process now wrote it last.
   */
  async refresh(
    partition: Partition,
    record: StudyRecord,
    etag: string | undefined,
  ): Promise<string | undefined> {
    if (etag !== undefined) {
      const written = await this.#replace(partition, record, encode(record, false), etag);
      if (written !== undefined) return written;
    }
    for (let attempt = 0; ; attempt++) {
      const copy = await this.#get(partition, record);
      if (copy === undefined || Number(copy.properties['revision']) >= record.revision) {
        return undefined;
      }
      // Another process may be deleting the study: its doubt stays.
      const unsure = copy.properties['unsure'] === true;
      const written = await this.#replace(partition, record, encode(record, unsure), copy.etag);
      if (written !== undefined) return written;
      await backOff(this.#runtime, attempt);
    }
  }

  /**
   * Marks the copy as unsure before the study may vanish. Writes it in any case: whoever wrote the
   * copy before must notice, or would take the doubt away.
   *
   * @param etag - of the copy, when this process wrote it last.
   * @returns the ETag of the copy; `undefined` when it is gone.
   */
  async doubt(
    partition: Partition,
    record: StudyRecord,
    etag: string | undefined,
  ): Promise<string | undefined> {
    if (etag !== undefined) {
      const written = await this.#replace(partition, record, encode(record, true), etag);
      if (written !== undefined) return written;
    }
    for (let attempt = 0; ; attempt++) {
      const copy = await this.#get(partition, record);
      if (copy === undefined) return undefined;
      const doubted = { ...copy.properties, unsure: true };
      const written = await this.#replace(partition, record, doubted, copy.etag);
      if (written !== undefined) return written;
      await backOff(this.#runtime, attempt);
    }
  }

  /** Removes the copy of a study, or of an attempt to make one. */
  async remove(partition: Partition, created: Ulid, study: StudyInstanceUID): Promise<void> {
    await this.#tables.transact('searchindex', browsePartitionKey(partition), [
      { kind: 'delete', rowKey: browseRowKey(created, study) },
    ]);
  }

  /** Walks the study list, newest first. */
  async *walk(
    partition: Partition,
    options: RowPagesOptions,
  ): AsyncGenerator<BrowsedStudy, void, undefined> {
    const range = { partitionKey: browsePartitionKey(partition) };
    for await (const { rows } of rowPages(this.#tables, 'searchindex', range, options)) {
      for (const entity of rows) yield this.#known(partition, browsedStudy(entity));
    }
  }

  /** The study list without its copies, page by page: what counting it needs. */
  async *marks(
    partition: Partition,
    options: Omit<RowPagesOptions, 'select'>,
  ): AsyncGenerator<StudyMarks, void, undefined> {
    const range = { partitionKey: browsePartitionKey(partition) };
    const select = ['unsure'];
    const pages = rowPages(this.#tables, 'searchindex', range, { ...options, select });
    for await (const { rows, isLast } of pages) {
      const marks = rows.map(({ rowKey, properties }) => ({
        ...parseBrowseRowKey(rowKey),
        unsure: properties['unsure'] === true,
      }));
      yield { marks, isLast };
    }
  }

  /**
   * The first copies of those made between two moments, newest first: one call.
   *
   * @param limit - most copies to read, 1 to 1000.
   */
  async between(
    partition: Partition,
    [oldest, newest]: readonly [Ulid, Ulid],
    limit: number,
  ): Promise<readonly BrowsedStudy[]> {
    const range = browseRowsBetween(partition, oldest, newest);
    const { entities } = await this.#tables.query('searchindex', range, { limit });
    return entities.map((entity) => this.#known(partition, browsedStudy(entity)));
  }

  async #get(partition: Partition, { created, study }: StudyRecord) {
    return await this.#tables.get(
      'searchindex',
      browsePartitionKey(partition),
      browseRowKey(created, study),
    );
  }

  async #replace(
    partition: Partition,
    record: StudyRecord,
    properties: Properties,
    etag: string,
  ): Promise<string | undefined> {
    const outcome = await this.#tables.transact('searchindex', browsePartitionKey(partition), [
      {
        kind: 'replace',
        rowKey: browseRowKey(record.created, record.study),
        properties,
        etag,
      },
    ]);
    return outcome.committed ? outcome.etags[0] : undefined;
  }
}
