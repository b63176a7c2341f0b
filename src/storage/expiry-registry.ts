/**
 * When studies expire, in the table `registry`: a row for each study that does, and an index of due dates, so that
 * who looks for what is due reads nothing else. Both change in one transaction.
 */
import { ServiceError } from '../errors.js';
import type { StudyInstanceUID } from '../dicom/uid.js';
import { backOff } from './back-off.js';
import type { Partition } from './archive/keys.js';
import type { Ulid } from './archive/ulid.js';
import { systemRuntime, type Runtime } from './runtime.js';
import type { Entity, Properties, TableStore } from './table-store.js';

const partitionKey = 'expiry';
const studyPrefix = 'study|';
const duePrefix = 'due|';
/** Digits of milliseconds since 1970: enough for 300 000 years. */
const dueDigits = 16;
/** Rounds of waiting, of a second at most, for a deletion that is under way. */
const mostRounds = 60;

/** A study and the moment of its end. */
export interface DueStudy {
  readonly partition: Partition;
  readonly study: StudyInstanceUID;
  /** Milliseconds since 1970. */
  readonly due: number;
}

/** The study that was meant: one that is stored anew after it was deleted is another. */
export interface ExpiringStudy extends DueStudy {
  readonly created: Ulid;
}

function studyRow(partition: Partition, study: StudyInstanceUID): string {
  return `${studyPrefix}${partition}|${study}`;
}

function dueRow({ due, partition, study }: DueStudy): string {
  return `${duePrefix}${String(due).padStart(dueDigits, '0')}|${partition}|${study}`;
}

function parseDueRow(rowKey: string): DueStudy {
  const [due = '', partition = '', study = ''] = rowKey.slice(duePrefix.length).split('|');
  return {
    due: Number(due),
    partition: partition as Partition,
    study: study as StudyInstanceUID,
  };
}

function dueOf(row: Entity | undefined): number | undefined {
  return row === undefined ? undefined : Number(row.properties['due']);
}

export class ExpiryRegistry {
  readonly #tables: TableStore;
  readonly #runtime: Runtime;

  constructor(tables: TableStore, runtime: Runtime = systemRuntime) {
    this.#tables = tables;
    this.#runtime = runtime;
  }

  /**
   * Puts the end of a study off before something is stored into it that will last longer: from then on no deletion that is
   * due takes it. Waits for one that has begun. Costs a read for a study that does not expire.
   *
   * @throws ServiceError `overloaded` when a deletion does not end, `storage-unavailable`.
   */
  async postpone(target: DueStudy): Promise<void> {
    await this.#change(target, (row) =>
      row === undefined || Number(row['due']) >= target.due
        ? undefined
        : { ...row, due: target.due },
    );
  }

  /**
   * Sets when a study expires, whatever was set before.
   *
   * @throws ServiceError `overloaded` when a deletion does not end, `storage-unavailable`.
   */
  async set(target: ExpiringStudy): Promise<void> {
    const { due, created } = target;
    await this.#change(target, (row) =>
      row?.['due'] === due && row['created'] === created ? undefined : { due, created },
    );
  }

  /** @param change - the row as it is to be; `undefined` when it may stay. */
  async #change(
    target: DueStudy,
    change: (row: Properties | undefined) => Properties | undefined,
  ): Promise<void> {
    const { partition, study } = target;
    const rowKey = studyRow(partition, study);
    for (let round = 0; round < mostRounds; round += 1) {
      if (round > 0) await backOff(this.#runtime, round);
      const row = await this.#tables.get('registry', partitionKey, rowKey);
      if (row?.properties['deleting'] === true) continue;
      const before = dueOf(row);
      const properties = change(row?.properties);
      if (properties === undefined) return;
      const { committed } = await this.#tables.transact('registry', partitionKey, [
        row === undefined
          ? { kind: 'insert', rowKey, properties }
          : { kind: 'replace', rowKey, properties, etag: row.etag },
        { kind: 'upsert', rowKey: dueRow(target), properties: {} },
        ...(before === undefined || before === target.due
          ? []
          : ([{ kind: 'delete', rowKey: dueRow({ ...target, due: before }) }] as const)),
      ]);
      if (committed) return;
    }
    throw new ServiceError('overloaded', 'The study is being deleted, since it has expired.');
  }

  /** The studies that are due, those that have been for longest first: one call. */
  async due(now: number, limit: number): Promise<readonly DueStudy[]> {
    const to = duePrefix + String(now + 1).padStart(dueDigits, '0');
    const range = { partitionKey, from: duePrefix, to };
    const { entities } = await this.#tables.query('registry', range, { limit, select: ['due'] });
    return entities.map(({ rowKey }) => parseDueRow(rowKey));
  }

  /**
   * Deletes a study that is due, unless its end was put off: nobody can put it off while `work` is under way. When that
   * dies, it is done again.
   *
   * @param work - is told which study was meant.
   * @returns whether it was done.
   * @throws ServiceError `storage-unavailable`, and what `work` throws.
   */
  async end(target: DueStudy, work: (created: Ulid) => Promise<void>): Promise<boolean> {
    const rowKey = studyRow(target.partition, target.study);
    const row = await this.#tables.get('registry', partitionKey, rowKey);
    if (row === undefined || dueOf(row) !== target.due) return false;
    const created = String(row.properties['created']) as Ulid;
    const begun = await this.#tables.transact('registry', partitionKey, [
      {
        kind: 'replace',
        rowKey,
        properties: { ...row.properties, deleting: true },
        etag: row.etag,
      },
    ]);
    const etag = begun.committed ? begun.etags[0] : undefined;
    if (etag === undefined) return false;
    await work(created);
    // Another may have done the same meanwhile, and the study may have a new end.
    const ended = await this.#tables.transact('registry', partitionKey, [
      { kind: 'delete', rowKey, etag },
      { kind: 'delete', rowKey: dueRow(target) },
    ]);
    return ended.committed;
  }
}
