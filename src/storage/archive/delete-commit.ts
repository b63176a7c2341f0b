/**
 * Committing deletes: the mirror of committing stores. Index rows are gone before the answer, files
 * after it (docs/architecture.md, "Writing").
 */
import type { SeriesInstanceUID, SOPInstanceUID } from '../../dicom/uid.js';
import type { TableOperation } from '../table-store.js';
import { allOf } from './all-of.js';
import { backOff } from './back-off.js';
import { planDelete, type CatalogPlan, type StudyState } from './catalog-plan.js';
import type { InstanceRow } from './catalog.js';
import type { PendingEntry } from './change-log.js';
import { instanceProperties } from './records.js';
import {
  isFresh,
  rowCount,
  rowsAboveInstances,
  rowsPerTransaction,
  type StudyRows,
} from './study-rows.js';
import { newUlid, type Ulid } from './ulid.js';

/** What a delete takes out. */
export interface DeleteScope {
  readonly series?: SeriesInstanceUID;
  readonly instance?: SOPInstanceUID;
}

/** Whether the rows of instances can have been there at the same time as those above them. */
function belongTogether({ study, series }: StudyState, rows: readonly InstanceRow[]): boolean {
  return study !== undefined && rows.every(({ record }) => series.has(record.series));
}

export class DeleteCommit {
  readonly #rows: StudyRows;

  constructor(rows: StudyRows) {
    this.#rows = rows;
  }

  /**
   * Deletes what the scope names; answers how many instances that were.
   *
   * @param onProgress - told after each transaction.
   */
  async delete(scope: DeleteScope, onProgress: () => void): Promise<number> {
    const write = newUlid();
    const abandoned: PendingEntry[] = [];
    let deleted = 0;
    for (let attempt = 0; ;) {
      const [state, rows] = await Promise.all([this.#rows.read(), this.#rowsIn(scope)]);
      if (rows.length === 0) {
        // Someone else has deleted them.
        await this.#rows.parts.log.abandon(abandoned);
        return deleted;
      }
      // Read at once, they may be from before and after a commit of another process.
      const plan = belongTogether(state, rows)
        ? planDelete(
            this.#rows.partition,
            state,
            rows.map(({ record }) => record),
            write,
          )
        : undefined;
      if (plan === undefined || !(await this.#deleteRows(state, plan, rows, write, abandoned))) {
        await backOff(attempt++, 'the study');
        continue;
      }
      attempt = 0;
      deleted += rows.length;
      onProgress();
      if (plan.study === undefined || scope.instance !== undefined) return deleted;
    }
  }

  /**
   * Carries out one plan; answers whether it was committed.
   *
   * @param abandoned - entries of lost attempts: noted as void, and added to when this one is lost.
   */
  async #deleteRows(
    state: StudyState,
    plan: CatalogPlan,
    rows: readonly InstanceRow[],
    write: Ulid,
    abandoned: PendingEntry[],
  ): Promise<boolean> {
    const entries = new Map<Ulid, PendingEntry>();
    let committed = false;
    try {
      await allOf([
        this.#appendDeletes(rows, state, plan, entries),
        this.#rows.parts.log.confirm(rows.map(({ record }) => record.sequence)),
        plan.study === undefined ? this.#rows.doubtBrowse(state) : undefined,
        this.#rows.parts.index.insert(plan.added),
        // Pending, they would look as if they had happened once this one has.
        this.#rows.parts.log.abandon(abandoned),
      ]);
      abandoned.length = 0;
    } catch (error) {
      this.#rows.parts.log.settle([...entries.values()], 'void');
      throw error;
    }
    if (isFresh([...entries.values()], this.#rows.parts.timing)) {
      committed = await this.#commitDelete(state, plan, rows, write);
    }
    if (committed) {
      this.#rows.parts.discard(rows);
      await this.#afterDelete(plan, state);
    }
    if (committed) this.#rows.parts.log.settle([...entries.values()], 'done');
    else abandoned.push(...entries.values());
    return committed;
  }

  async #commitDelete(
    state: StudyState,
    plan: CatalogPlan,
    rows: readonly InstanceRow[],
    write: Ulid,
  ): Promise<boolean> {
    const { catalog } = this.#rows.parts;
    try {
      const operations = rows.map(({ entity: { rowKey, etag } }): TableOperation => ({
        kind: 'delete',
        rowKey,
        etag,
      }));
      return await this.#rows.commit(state, plan, operations);
    } catch (error) {
      // The answer may be lost although the write happened: the study row tells.
      const now = await catalog.study(this.#rows.partition, this.#rows.study);
      const happened =
        plan.study === undefined
          ? now?.created !== state.study?.record.created
          : now?.write === write && now.revision === plan.study.revision;
      if (happened) return true;
      throw error;
    }
  }

  /** As many rows of the scope as one transaction takes. */
  async #rowsIn({ series, instance }: DeleteScope): Promise<readonly InstanceRow[]> {
    const { catalog } = this.#rows.parts;
    if (series !== undefined && instance !== undefined) {
      const uids = { study: this.#rows.study, series, instance };
      const row = await catalog.instance(this.#rows.partition, uids, instanceProperties);
      return row === undefined ? [] : [row];
    }
    for await (const page of catalog.instances(this.#rows.partition, this.#rows.study, series)) {
      let rows = page.slice(0, rowsPerTransaction);
      while (rowCount(rows) > rowsPerTransaction) rows = rows.slice(0, -1);
      return rows;
    }
    return [];
  }

  async #appendDeletes(
    rows: readonly InstanceRow[],
    state: StudyState,
    plan: CatalogPlan,
    entries: Map<Ulid, PendingEntry>,
  ): Promise<void> {
    await allOf(
      rows.map(async ({ record: { study, series, instance, version } }, position) => {
        const entry = await this.#rows.parts.log.append({
          partition: this.#rows.partition,
          study,
          series,
          instance,
          version,
          action: 'Delete',
          write: state.study?.record.created ?? version,
          rows: rowsAboveInstances(plan, [], position),
        });
        entries.set(version, entry);
      }),
    );
  }

  async #afterDelete(plan: CatalogPlan, before: StudyState): Promise<void> {
    await allOf([
      this.#rows.parts.index.remove(plan.removed),
      plan.study === undefined && before.study !== undefined
        ? this.#rows.parts.browse.remove(
            this.#rows.partition,
            before.study.record.created,
            this.#rows.study,
          )
        : this.#rows.refreshBrowse(plan),
    ]);
    if (plan.study === undefined) this.#rows.announced(undefined);
  }
}
