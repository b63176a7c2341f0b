/**
 * Committing deletes: the mirror of committing stores. Nothing is found or retrieved any more after the
 * commit; index rows go behind the answer, files some time later (docs/architecture.md, "Writing").
 */
import type { SeriesInstanceUID, SOPInstanceUID } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import { tableLimits, type TableOperation } from '../../table-store.js';
import { allOf } from '../all-of.js';
import { Attempts } from './attempts.js';
import { planDelete, totalsOfPlan } from './catalog-plan.js';
import type { InstanceRow } from '../catalog.js';
import type { Intent } from '../log/intent.js';
import { originalRowKey } from '../keys.js';
import { bytesOf } from '../log/totals.js';
import { instanceProperties } from '../records.js';
import type { CatalogPlan, StudyState } from '../study-state.js';
import { rowCount, rowsNotImplied, rowsPerTransaction, type StudyRows } from './study-rows.js';
import type { TagSet } from '../index/query-tags.js';
import { Tagger, tagsInstances } from './tagger.js';
import type { Ulid } from '../ulid.js';

/** What a delete takes out. */
export interface DeleteScope {
  readonly series?: SeriesInstanceUID;
  readonly instance?: SOPInstanceUID;
  /** Of the study that is meant: one that was stored anew is another, and stays. */
  readonly created?: Ulid;
}

/** What a delete has to do with whoever waits for it. */
export interface DeleteWatch {
  /** Told when some of many are gone. */
  readonly onProgress?: () => void;
  /** Aborted when no more are to be deleted. */
  readonly givenUp?: AbortSignal;
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
   * @throws the reason of `givenUp`.
   */
  async delete(scope: DeleteScope, { onProgress, givenUp }: DeleteWatch): Promise<number> {
    let deleted = 0;
    for (;;) {
      const some = this.#deleteSome(scope, givenUp).finally(() => this.#rows.endTurn());
      const { instances, isLast } = await some;
      deleted += instances;
      if (isLast) return deleted;
      onProgress?.();
    }
  }

  /** Deletes as much as one transaction takes. */
  async #deleteSome(
    scope: DeleteScope,
    givenUp: AbortSignal | undefined,
  ): Promise<{ readonly instances: number; readonly isLast: boolean }> {
    const { parts, partition } = this.#rows;
    const write = parts.newUlid();
    const attempts = new Attempts(this.#rows, write);
    for (;;) {
      await this.#rows.turn();
      if (givenUp?.aborted === true) {
        await attempts.takeBack();
        throw givenUp.reason;
      }
      const set = parts.tags.known;
      const [state, rows] = await Promise.all([this.#rows.read(), this.#rowsIn(scope, set)]);
      const { created = state.study?.record.created } = scope;
      if (rows.length === 0 || state.study?.record.created !== created) {
        // Someone else has deleted them.
        await attempts.takeBack();
        return { instances: 0, isLast: true };
      }
      // Read at once, they may be from before and after a commit of another process.
      if (belongTogether(state, rows)) {
        const records = rows.map(({ record }) => record);
        const tagging = await new Tagger(parts.files, partition).taggingOf(set, [], rows);
        const plan = planDelete(partition, state, records, write, tagging);
        if (await this.#carryOut(state, plan, rows, attempts, set)) {
          const isLast = plan.study === undefined || scope.instance !== undefined;
          return { instances: rows.length, isLast };
        }
      }
      this.#rows.lost();
    }
  }

  /** Carries out one plan; answers whether it was: there may be other query tags, or another process was faster. */
  async #carryOut(
    state: StudyState,
    plan: CatalogPlan,
    rows: readonly InstanceRow[],
    attempts: Attempts,
    set: TagSet,
  ): Promise<boolean> {
    const [appended] = await allOf([
      attempts.append(this.#intentOf(state, plan, rows, attempts), state, set),
      plan.study === undefined ? this.#rows.doubtBrowse(state) : undefined,
      attempts.index(plan, false),
    ]);
    if (appended === undefined) return false;
    const operations = rows.flatMap(({ record, entity }): readonly TableOperation[] => {
      const { rowKey, etag } = entity;
      const gone = { kind: 'delete', rowKey, etag } as const;
      if (record.original === undefined) return [gone];
      return [gone, { kind: 'delete', rowKey: originalRowKey(record) }];
    });
    const sent = await this.#rows.commit(state, plan, operations, appended);
    if (!sent.committed) return false;
    const created = state.study?.record.created;
    if (created === undefined) throw new RangeError('nothing to delete from');
    if (plan.study === undefined) this.#rows.announced(undefined);
    attempts.succeeded(appended, plan, created);
    return true;
  }

  #intentOf(
    state: StudyState,
    plan: CatalogPlan,
    rows: readonly InstanceRow[],
    { written }: Attempts,
  ): Intent {
    const { partition, study: uid, parts } = this.#rows;
    const { guard, study } = state;
    const write = study?.record.created;
    if (write === undefined) throw new ServiceError('storage-corrupt', 'A study without its row.');
    return {
      ...{ partition, study: uid, id: parts.newUlid(), write, base: guard.revision },
      changes: rows.map(({ record: { series, instance, version, original } }) => ({
        ...{ series, instance, version, action: 'Delete' },
        ...(original !== undefined && { files: [version, original] }),
      })),
      rows: rowsNotImplied([...written, ...plan.added, ...plan.removed]),
      totals: totalsOfPlan(state, plan, -bytesOf(rows.map(({ record }) => record))),
    };
  }

  /** As many rows of the scope as one transaction takes. */
  async #rowsIn({ series, instance }: DeleteScope, set: TagSet): Promise<readonly InstanceRow[]> {
    const { catalog } = this.#rows.parts;
    const select = tagsInstances(set) ? 'all' : instanceProperties;
    if (series !== undefined && instance !== undefined) {
      const uids = { study: this.#rows.study, series, instance };
      const row = await catalog.instance(
        this.#rows.partition,
        uids,
        select === 'all' ? undefined : select,
      );
      return row === undefined ? [] : [row];
    }
    const { partition, study } = this.#rows;
    const paging = { firstPageRows: select === 'all' ? rowsPerTransaction : tableLimits.pageRows };
    for await (const page of catalog.instances(partition, study, series, select, paging)) {
      let rows = page.slice(0, rowsPerTransaction);
      while (rowCount(rows) > rowsPerTransaction) rows = rows.slice(0, -1);
      return rows;
    }
    return [];
  }
}
