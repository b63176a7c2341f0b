/**
 * The one writer of a study within this process: it merges concurrent stores into one commit, keeps
 * deletes in their place among them, and races other processes by ETags (docs/architecture.md,
 * "Writing").
 */
import type { SeriesInstanceUID, SOPInstanceUID, StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import { tableLimits, type TableOperation } from '../table-store.js';
import { allOf } from './all-of.js';
import { backOff } from './back-off.js';
import { Batcher } from './batcher.js';
import type { BrowseIndex } from './browse-index.js';
import {
  planDelete,
  distinctValues,
  hasRoom,
  planStore,
  type Replaced,
  type CatalogPlan,
  type NewInstance,
  type NewInstanceRecord,
  type StudyState,
} from './catalog-plan.js';
import type { Catalog, InstanceRow } from './catalog.js';
import type { ChangeLog, PendingEntry } from './change-log.js';
import { instanceRowKey, type Partition } from './keys.js';
import type { LogTiming } from './log-entry.js';
import { encodeInstance, instanceProperties, type InstanceRecord } from './records.js';
import type { IndexRow, SearchIndex } from './search-index.js';
import { newUlid, timeOf, type Ulid } from './ulid.js';
import { WrittenIndexRows } from './written-index-rows.js';

/** What became of an instance that was to be stored. */
export type CommitResult = 'stored' | 'exists' | 'no-room';

/** What a delete takes out. */
export interface DeleteScope {
  readonly series?: SeriesInstanceUID;
  readonly instance?: SOPInstanceUID;
}

export interface StudyWriterParts {
  readonly catalog: Catalog;
  readonly log: ChangeLog;
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
  readonly timing: LogTiming;
  /** Removes the files of versions that the catalog no longer has. */
  readonly discard: (instances: readonly DiscardedInstance[]) => void;
}

export interface DiscardedInstance {
  readonly record: NewInstanceRecord;
}

/** Whether an instance that is there already is left alone or gets a new version. */
export type StoreMode = 'create' | 'replace';

type Work =
  | { readonly kind: 'store'; readonly instance: NewInstance; readonly mode: StoreMode }
  | { readonly kind: 'delete'; readonly scope: DeleteScope };

type Outcome =
  | { readonly kind: 'store'; readonly result: CommitResult }
  | { readonly kind: 'delete'; readonly instances: number };

/** Room in a transaction for the study row. */
const rowsPerTransaction = tableLimits.transactionOperations - 1;
/** Leaves room for keys and the framing of a transaction, which Azure counts as well. */
const bytesPerTransaction = tableLimits.transactionBytes * 0.6;
const bytesPerRow = 4096;

function rowsOfWork(instances: readonly NewInstance[]): number {
  return instances.length + new Set(instances.map(({ record }) => record.series)).size;
}

function bytesOf({ metadata, index }: NewInstance): number {
  // Binary travels as base64.
  return ((metadata.length + index.length) * 4) / 3 + bytesPerRow;
}

/** As many index rows as one entry of the log has room for; a series needs far fewer. */
const indexRowsPerEntry = 40;

/**
 * What recovery cannot tell from the instances of a change, the index rows of studies and series:
 * the share of one of its entries.
 *
 * @param before - rows of earlier attempts at the change.
 */
function rowsAboveInstances(
  { added, removed }: CatalogPlan,
  before: readonly IndexRow[],
  entry: number,
): readonly IndexRow[] {
  const rows = [...new Set([...before, ...added, ...removed])].filter(
    ({ level }) => level !== 'instance',
  );
  return rows.slice(entry * indexRowsPerEntry, (entry + 1) * indexRowsPerEntry);
}

function isSame({ record: a }: NewInstance, { record: b }: NewInstance): boolean {
  return a.instance === b.instance && a.series === b.series;
}

/** After this long the entry of a version has been settled by its writer or by recovery. */
const settledAfter = 15 * 60_000;

/** Whether a commit may still be sent: later, its entries could be taken for dead (see `log-entry`). */
function isFresh(
  entries: readonly PendingEntry[],
  { commitWithinMilliseconds }: LogTiming,
): boolean {
  const oldest = Math.min(...entries.map(({ appended }) => appended));
  return Date.now() - oldest < commitWithinMilliseconds;
}

/** Whether the rows of instances can have been there at the same time as those above them. */
function belongTogether({ study, series }: StudyState, rows: readonly InstanceRow[]): boolean {
  return study !== undefined && rows.every(({ record }) => series.has(record.series));
}

function isStore(work: Work): work is Extract<Work, { kind: 'store' }> {
  return work.kind === 'store';
}

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

export class StudyWriter {
  readonly #partition: Partition;
  readonly #study: StudyInstanceUID;
  readonly #parts: StudyWriterParts;
  readonly #work: Batcher<Work, Outcome>;
  /** The rows as this process left them; forgotten when another process was faster. */
  #state: StudyState | undefined;
  #warming: Promise<StudyState | undefined> | undefined;
  #browseEtag: string | undefined;

  constructor(partition: Partition, study: StudyInstanceUID, parts: StudyWriterParts) {
    this.#partition = partition;
    this.#study = study;
    this.#parts = parts;
    this.#work = new Batcher<Work, Outcome>({
      flush: async (batch) => await this.#flush(batch),
      fits: (batch, next) => {
        if (!isStore(next) || !batch.every(isStore)) return false;
        // Two stores of one instance are two commits, in their order.
        if (batch.some(({ instance }) => isSame(instance, next.instance))) return false;
        const instances = [...batch, next].map(({ instance }) => instance);
        const bytes = instances.reduce((sum, instance) => sum + bytesOf(instance), 0);
        return rowsOfWork(instances) <= rowsPerTransaction && bytes <= bytesPerTransaction;
      },
    });
  }

  /** Whether the writer may be forgotten. */
  get idle(): boolean {
    return this.#work.idle;
  }

  /** Commits an instance whose file is stored. */
  async store(instance: NewInstance, mode: StoreMode): Promise<CommitResult> {
    const outcome = await this.#work.add({ kind: 'store', instance, mode });
    return outcome.kind === 'store' ? outcome.result : 'exists';
  }

  /** Deletes what the scope names; answers how many instances that were. */
  async delete(scope: DeleteScope): Promise<number> {
    const outcome = await this.#work.add({ kind: 'delete', scope });
    return outcome.kind === 'delete' ? outcome.instances : 0;
  }

  /** Reads the rows ahead of a commit that is to come. */
  async warm(): Promise<void> {
    if (this.#state !== undefined || !this.idle) return;
    this.#warming ??= this.#readAhead();
    await this.#warming;
  }

  async #readAhead(): Promise<StudyState | undefined> {
    try {
      const state = await this.#parts.catalog.state(this.#partition, this.#study);
      if (this.idle) this.#state ??= state;
      return state;
    } catch {
      // Whoever needs the rows reads them again.
      return undefined;
    } finally {
      this.#warming = undefined;
    }
  }

  /** The rows as known; on a first attempt, as they are just being read ahead. */
  async #current(attempt: number): Promise<StudyState> {
    this.#state ??= attempt === 0 ? await this.#warming : undefined;
    return (this.#state ??= await this.#parts.catalog.state(this.#partition, this.#study));
  }

  async #flush(batch: readonly Work[]): Promise<readonly Outcome[]> {
    const [first] = batch;
    if (first?.kind === 'delete') {
      return [{ kind: 'delete', instances: await this.#delete(first.scope) }];
    }
    const stores = batch.filter(isStore);
    const replacing = stores.filter(({ mode }) => mode === 'replace');
    const results = await this.#store(
      stores.map(({ instance }) => instance),
      new Set(replacing.map(({ instance }) => instance)),
    );
    return results.map((result) => ({ kind: 'store', result }));
  }

  // ---- store ---------------------------------------------------------------------------------

  async #store(
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
    const written = new WrittenIndexRows(this.#parts, this.#partition, attempted.write);
    try {
      await this.#commitLeft(attempted, written);
    } catch (error) {
      // What was or may have been committed stays: only recovery can tell.
      if (attempted.commit === 'unsent') await this.#takeBack(attempted, written);
      throw error;
    } finally {
      this.#parts.discard(batch.filter((instance) => !attempted.left.has(instance)));
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
      const state = await this.#current(attempt);
      const rows = await this.#rowsToReplace(instances, attempted.replacing);
      const replaced = new Map([...rows].map(([instance, { record }]) => [instance, record]));
      const plan = planStore(this.#partition, state, instances, replaced, write);
      if (!hasRoom(plan)) {
        this.#takeOutGrowth(attempted, state, replaced);
        continue;
      }
      await allOf([
        this.#appendStores(instances, replaced, plan, written.rows, attempted),
        this.#confirm([...replaced.values()]),
        written.insert(plan, state.study === undefined),
      ]);
      await this.#abandonBefore(attempted);
      const fresh = isFresh([...entries.values()], this.#parts.timing);
      attempted.commit = fresh ? 'in-doubt' : 'unsent';
      const committed = fresh && (await this.#commitStore(state, plan, instances, rows, entries));
      attempted.commit = committed ? 'done' : 'unsent';
      if (committed) {
        await this.#afterCommit(plan, written);
        this.#parts.log.settle([...entries.values()], 'done');
        this.#parts.discard([...rows.values()]);
        return;
      }
      attempted.abandoned = [...entries.values()];
      entries.clear();
      this.#state = undefined;
      const there = await this.#alreadyThere(instances);
      const duplicates = there.filter((instance) => !attempted.replacing.has(instance));
      for (const instance of duplicates) left.delete(instance);
      if (duplicates.length === 0) await backOff(attempt, 'the study');
    }
    await written.removeUnused(undefined);
    this.#parts.log.settle(attempted.abandoned, 'void');
  }

  /** Takes those out that bring the rows of the study something new, or all when none does. */
  #takeOutGrowth({ left, tooMuch, write }: StoreAttempt, state: StudyState, replaced: Replaced) {
    const known = distinctValues(state.study?.record);
    const growing = [...left].filter((instance) => {
      const old = replaced.get(instance);
      const alone = new Map(old === undefined ? [] : [[instance, old]]);
      const plan = planStore(this.#partition, state, [instance], alone, write);
      return !hasRoom(plan) || distinctValues(plan.study) > known;
    });
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
    await this.#parts.log.abandon(attempted.abandoned);
    if (!isFresh(attempted.abandoned, this.#parts.timing)) {
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
    this.#parts.discard([...left]);
    try {
      await written.removeUnused(undefined);
      this.#parts.log.settle([...abandoned, ...entries.values()], 'void');
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
        const { catalog } = this.#parts;
        const row = await catalog.instance(this.#partition, instance.record, instanceProperties);
        if (row !== undefined) rows.set(instance, row);
      }),
    );
    return rows;
  }

  /** What is about to be replaced or deleted must be noted as done: its row will not tell any more. */
  async #confirm(records: readonly InstanceRecord[]): Promise<void> {
    const recent = records.filter(({ version }) => Date.now() - timeOf(version) < settledAfter);
    await this.#parts.log.confirm(recent.map(({ sequence }) => sequence));
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
        const entry = await this.#parts.log.append({
          partition: this.#partition,
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
    // Forgotten until the transaction is known to have happened.
    this.#state = undefined;
    try {
      const { catalog } = this.#parts;
      const outcome = await catalog.commit(this.#partition, this.#study, state, plan, operations);
      if (outcome.committed) this.#state = outcome.state;
      return outcome.committed;
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
    const row = await this.#parts.catalog.instance(this.#partition, record, instanceProperties);
    return row?.record.version;
  }

  /** Those that another write has stored before. */
  async #alreadyThere(instances: readonly NewInstance[]): Promise<readonly NewInstance[]> {
    const versions = await Promise.all(
      instances.map(async (instance) => await this.#versionThere(instance)),
    );
    return instances.filter((_, position) => versions[position] !== undefined);
  }

  // ---- delete --------------------------------------------------------------------------------

  async #delete(scope: DeleteScope): Promise<number> {
    const write = newUlid();
    const abandoned: PendingEntry[] = [];
    let deleted = 0;
    for (let attempt = 0; ;) {
      const [state, rows] = await Promise.all([
        this.#parts.catalog.state(this.#partition, this.#study),
        this.#rowsIn(scope),
      ]);
      if (rows.length === 0) {
        // Someone else has deleted them.
        await this.#parts.log.abandon(abandoned);
        return deleted;
      }
      // Read at once, they may be from before and after a commit of another process.
      const plan = belongTogether(state, rows)
        ? planDelete(
            this.#partition,
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
        this.#confirm(rows.map(({ record }) => record)),
        plan.study === undefined ? this.#doubtBrowse(state) : undefined,
        this.#parts.index.insert(plan.added),
        // Pending, they would look as if they had happened once this one has.
        this.#parts.log.abandon(abandoned),
      ]);
      abandoned.length = 0;
    } catch (error) {
      this.#parts.log.settle([...entries.values()], 'void');
      throw error;
    }
    if (isFresh([...entries.values()], this.#parts.timing)) {
      committed = await this.#commitDelete(state, plan, rows, write);
    }
    if (committed) {
      this.#parts.discard(rows);
      await this.#afterDelete(plan, state);
    }
    if (committed) this.#parts.log.settle([...entries.values()], 'done');
    else abandoned.push(...entries.values());
    return committed;
  }

  async #commitDelete(
    state: StudyState,
    plan: CatalogPlan,
    rows: readonly InstanceRow[],
    write: Ulid,
  ): Promise<boolean> {
    const { catalog } = this.#parts;
    // Forgotten until the transaction is known to have happened.
    this.#state = undefined;
    try {
      const outcome = await catalog.commit(
        this.#partition,
        this.#study,
        state,
        plan,
        rows.map(({ entity: { rowKey, etag } }) => ({ kind: 'delete', rowKey, etag })),
      );
      if (outcome.committed) this.#state = outcome.state;
      return outcome.committed;
    } catch (error) {
      // The answer may be lost although the write happened: the study row tells.
      const now = await catalog.study(this.#partition, this.#study);
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
    const { catalog } = this.#parts;
    if (series !== undefined && instance !== undefined) {
      const uids = { study: this.#study, series, instance };
      const row = await catalog.instance(this.#partition, uids, instanceProperties);
      return row === undefined ? [] : [row];
    }
    for await (const page of catalog.instances(this.#partition, this.#study, series)) {
      let rows = page.slice(0, rowsPerTransaction);
      const size = (some: readonly InstanceRow[]) =>
        some.length + new Set(some.map(({ record }) => record.series)).size;
      while (size(rows) > rowsPerTransaction) rows = rows.slice(0, -1);
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
        const entry = await this.#parts.log.append({
          partition: this.#partition,
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

  async #doubtBrowse({ study }: StudyState): Promise<void> {
    if (study === undefined) return;
    const { browse } = this.#parts;
    this.#browseEtag = await browse.doubt(this.#partition, study.record, this.#browseEtag);
  }

  async #afterDelete(plan: CatalogPlan, before: StudyState): Promise<void> {
    await allOf([
      this.#parts.index.remove(plan.removed),
      plan.study === undefined && before.study !== undefined
        ? this.#parts.browse.remove(this.#partition, before.study.record.created, this.#study)
        : this.#refreshBrowse(plan),
    ]);
    if (plan.study === undefined) this.#browseEtag = undefined;
  }

  // ---- after a commit ------------------------------------------------------------------------

  async #afterCommit(plan: CatalogPlan, written: WrittenIndexRows): Promise<void> {
    if (written.announces(plan)) this.#browseEtag = written.browseEtag;
    await allOf([
      this.#parts.index.remove(plan.removed),
      written.removeUnused(plan),
      this.#refreshBrowse(plan),
    ]);
  }

  async #refreshBrowse({ study }: CatalogPlan): Promise<void> {
    if (study === undefined) return;
    this.#browseEtag = await this.#parts.browse.refresh(this.#partition, study, this.#browseEtag);
  }
}
