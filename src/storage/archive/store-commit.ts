/**
 * Committing stores: log entries and index rows first, then one guarded transaction, then what is
 * derived from it; again and again while other processes are faster (docs/architecture.md, "Writing").
 */
import { ServiceError } from '../../errors.js';
import { takeTurns } from '../../take-turns.js';
import type { TableOperation } from '../table-store.js';
import { allOf } from './all-of.js';
import { backOff } from './back-off.js';
import {
  bringsNewValue,
  distinctValues,
  hasRoom,
  planStore,
  type CatalogPlan,
  type NewInstance,
  type Replaced,
  type StudyState,
} from './catalog-plan.js';
import type { InstanceRow } from './catalog.js';
import type { PendingEntry } from './change-log.js';
import { instanceRowKey } from './keys.js';
import { encodeInstance, instanceProperties } from './records.js';
import type { IndexRow } from './search-index.js';
import { isFresh, rowsAboveInstances, type StudyRows } from './study-rows.js';
import { newUlid, type Ulid } from './ulid.js';
import { WrittenIndexRows } from './written-index-rows.js';

/** What became of an instance that was to be stored. */
export type CommitResult = 'stored' | 'exists' | 'no-room';

/** The state of one store while it races other writers. */
interface StoreAttempt {
  readonly write: Ulid;
  /** Instances that get a new version if they are there already. */
  readonly replacing: ReadonlySet<NewInstance>;
  /** What is still to be committed, and in the end what was. */
  readonly left: Set<NewInstance>;
  readonly entries: Map<NewInstance, PendingEntry>;
  /** Those with values that the rows of the study have no room for. */
  readonly tooMuch: Set<NewInstance>;
  /** Of the attempt before: pending until the entries of this one name what it left behind. */
  abandoned: readonly PendingEntry[];
  /** What is known of the commit of what is left. */
  commit: 'unsent' | 'in-doubt' | 'done';
}

export class StoreCommit {
  readonly #rows: StudyRows;

  constructor(rows: StudyRows) {
    this.#rows = rows;
  }

  /** Commits the instances of a batch; answers what became of each. */
  async store(
    batch: readonly NewInstance[],
    replacing: ReadonlySet<NewInstance>,
  ): Promise<readonly CommitResult[]> {
    const attempted: StoreAttempt = {
      write: newUlid(),
      replacing,
      left: new Set(batch),
      entries: new Map(),
      tooMuch: new Set(),
      abandoned: [],
      commit: 'unsent',
    };
    const written = new WrittenIndexRows(this.#rows.parts, this.#rows.partition, attempted.write);
    try {
      await this.#commitLeft(attempted, written);
    } catch (error) {
      // What was or may have been committed stays: only recovery can tell.
      if (attempted.commit === 'unsent') await this.#takeBack(attempted, written);
      throw error;
    } finally {
      this.#rows.parts.discard(batch.filter((instance) => !attempted.left.has(instance)));
    }
    const { left, tooMuch } = attempted;
    return batch.map((instance) =>
      left.has(instance) ? 'stored' : tooMuch.has(instance) ? 'no-room' : 'exists',
    );
  }

  /** Commits what is left of the batch; instances that turn out to be there already leave it. */
  async #commitLeft(attempted: StoreAttempt, written: WrittenIndexRows): Promise<void> {
    const { left, entries, write } = attempted;
    for (let attempt = 0; left.size > 0; attempt++) {
      const instances = [...left];
      // Read before the entries are appended and guarded by the commit: so the changes of a study
      // are committed in the order of their sequences.
      const state = await this.#rows.current(attempt);
      const rows = await this.#rowsToReplace(instances, attempted.replacing);
      const replaced = new Map([...rows].map(([instance, { record }]) => [instance, record]));
      const plan = planStore(this.#rows.partition, state, instances, replaced, write);
      if (!hasRoom(plan)) {
        await this.#takeOutGrowth(attempted, state, replaced);
        continue;
      }
      await allOf([
        this.#appendStores(instances, replaced, plan, written.rows, attempted),
        this.#rows.parts.log.confirm([...replaced.values()].map(({ sequence }) => sequence)),
        written.insert(plan, state.study === undefined),
      ]);
      await this.#abandonBefore(attempted);
      const fresh = isFresh([...entries.values()], this.#rows.parts.timing);
      attempted.commit = fresh ? 'in-doubt' : 'unsent';
      const committed = fresh && (await this.#commitStore(state, plan, instances, rows, entries));
      attempted.commit = committed ? 'done' : 'unsent';
      if (committed) {
        await this.#afterCommit(plan, written);
        this.#rows.parts.log.settle([...entries.values()], 'done');
        this.#rows.parts.discard([...rows.values()]);
        return;
      }
      attempted.abandoned = [...entries.values()];
      entries.clear();
      this.#rows.forget();
      const there = await this.#alreadyThere(instances);
      const duplicates = there.filter((instance) => !attempted.replacing.has(instance));
      for (const instance of duplicates) left.delete(instance);
      if (duplicates.length === 0) await backOff(attempt, 'the study');
    }
    await written.removeUnused(undefined);
    this.#rows.parts.log.settle(attempted.abandoned, 'void');
  }

  /** Takes those out that bring the rows of the study something new, or all when none does. */
  async #takeOutGrowth(
    { left, tooMuch, write }: StoreAttempt,
    state: StudyState,
    replaced: Replaced,
  ): Promise<void> {
    const known = distinctValues(state.study?.record);
    const growing: NewInstance[] = [];
    const grows = (instance: NewInstance): boolean => {
      if (bringsNewValue(state, instance)) return true;
      const old = replaced.get(instance);
      const alone = new Map(old === undefined ? [] : [[instance, old]]);
      const plan = planStore(this.#rows.partition, state, [instance], alone, write);
      return !hasRoom(plan) || distinctValues(plan.study) > known;
    };
    for (const instance of left) {
      if (grows(instance)) growing.push(instance);
      await takeTurns();
    }
    for (const instance of growing.length > 0 ? growing : [...left]) {
      left.delete(instance);
      tooMuch.add(instance);
    }
  }

  /**
   * Notes that the entries of the attempt before will never happen.
   *
   * @throws ServiceError `storage-unavailable`, also when they are so old that recovery may have
   *   undone them already, files included.
   */
  async #abandonBefore(attempted: StoreAttempt): Promise<void> {
    if (attempted.abandoned.length === 0) return;
    await this.#rows.parts.log.abandon(attempted.abandoned);
    if (!isFresh(attempted.abandoned, this.#rows.parts.timing)) {
      throw new ServiceError('storage-unavailable', 'Storage is too slow.');
    }
    attempted.abandoned = [];
  }

  /**
   * Undoes attempts that certainly did not commit. Where storage does not let it, their entries stay
   * pending, and recovery does it.
   */
  async #takeBack(
    { left, entries, abandoned }: StoreAttempt,
    written: WrittenIndexRows,
  ): Promise<void> {
    this.#rows.parts.discard([...left]);
    try {
      await written.removeUnused(undefined);
      this.#rows.parts.log.settle([...abandoned, ...entries.values()], 'void');
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }

  /** The rows of those instances that are there and get a new version. */
  async #rowsToReplace(
    instances: readonly NewInstance[],
    replacing: ReadonlySet<NewInstance>,
  ): Promise<ReadonlyMap<NewInstance, InstanceRow>> {
    const rows = new Map<NewInstance, InstanceRow>();
    await allOf(
      instances.map(async (instance) => {
        if (!replacing.has(instance)) return;
        const { catalog } = this.#rows.parts;
        const row = await catalog.instance(
          this.#rows.partition,
          instance.record,
          instanceProperties,
        );
        if (row !== undefined) rows.set(instance, row);
      }),
    );
    return rows;
  }

  async #appendStores(
    instances: readonly NewInstance[],
    replaced: Replaced,
    plan: CatalogPlan,
    before: readonly IndexRow[],
    { entries, write }: StoreAttempt,
  ): Promise<void> {
    await allOf(
      instances.map(async (instance, position) => {
        const { study, series, instance: sop, version } = instance.record;
        const previous = replaced.get(instance)?.version;
        const entry = await this.#rows.parts.log.append({
          partition: this.#rows.partition,
          study,
          series,
          instance: sop,
          version,
          action: previous === undefined ? 'Create' : 'Update',
          ...(previous !== undefined && { previous }),
          write,
          rows: rowsAboveInstances(plan, before, position),
        });
        entries.set(instance, entry);
      }),
    );
  }

  async #commitStore(
    state: StudyState,
    plan: CatalogPlan,
    instances: readonly NewInstance[],
    rows: ReadonlyMap<NewInstance, InstanceRow>,
    entries: ReadonlyMap<NewInstance, PendingEntry>,
  ): Promise<boolean> {
    const operations = instances.map((instance): TableOperation => {
      const sequence = entries.get(instance)?.sequence ?? 0;
      const old = rows.get(instance);
      const record = { ...instance.record, sequence, since: old?.record.since ?? sequence };
      const rowKey = instanceRowKey(record);
      const properties = encodeInstance({ ...instance, record });
      return old === undefined
        ? { kind: 'insert', rowKey, properties }
        : { kind: 'replace', rowKey, properties, etag: old.entity.etag };
    });
    try {
      return await this.#rows.commit(state, plan, operations);
    } catch (error) {
      // The answer may be lost although the write happened: our version is there, or it is not.
      const [first] = instances;
      if (first !== undefined && (await this.#versionThere(first)) === first.record.version) {
        return true;
      }
      throw error;
    }
  }

  async #versionThere({ record }: NewInstance): Promise<Ulid | undefined> {
    const row = await this.#rows.parts.catalog.instance(
      this.#rows.partition,
      record,
      instanceProperties,
    );
    return row?.record.version;
  }

  /** Those that another write has stored before. */
  async #alreadyThere(instances: readonly NewInstance[]): Promise<readonly NewInstance[]> {
    const versions = await Promise.all(
      instances.map(async (instance) => await this.#versionThere(instance)),
    );
    return instances.filter((_, position) => versions[position] !== undefined);
  }

  async #afterCommit(plan: CatalogPlan, written: WrittenIndexRows): Promise<void> {
    if (written.announces(plan)) this.#rows.announced(written.browseEtag);
    await allOf([
      this.#rows.parts.index.remove(plan.removed),
      written.removeUnused(plan),
      this.#rows.refreshBrowse(plan),
    ]);
  }
}
