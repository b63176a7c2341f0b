/**
 * Committing stores: the intent and the index rows go out beside the last of the uploads, then one guarded
 * transaction; again and again while other processes are faster (docs/architecture.md, "Writing").
 */
import { ServiceError } from '../../../errors.js';
import { takeTurns } from '../../../take-turns.js';
import type { TableOperation } from '../../table-store.js';
import { allOf } from '../all-of.js';
import { Attempts } from './attempts.js';
import {
  planStore,
  totalsOfPlan,
  type NewInstance,
  type Replaced,
  type Tagging,
} from './catalog-plan.js';
import type { InstanceRow } from '../catalog.js';
import type { Appended } from '../log/change-log.js';
import { firstOf, type Change, type Intent } from '../log/intent.js';
import { removeFiles } from '../files.js';
import { instanceRowKey, originalRowKey } from '../keys.js';
import { encodeInstance } from '../records.js';
import { sequenceStride } from '../log/sequence.js';
import { bytesOf } from '../log/totals.js';
import type { CatalogPlan, StudyState } from '../study-state.js';
import { presentInstances } from './present-instances.js';
import { bringsNewValue, distinctValues, hasRoom } from './room.js';
import { rowsNotImplied, type Sent, type StudyRows } from './study-rows.js';
import { Tagger, tagsInstances } from './tagger.js';
import type { Ulid } from '../ulid.js';

/** What became of an instance that was to be stored; an update `exists` when another version than its own is there, or none. */
export type CommitResult = 'stored' | 'exists' | 'no-room';

/** The same, or why it was not committed. */
export type StoreOutcome = CommitResult | { readonly error: unknown };

/** Whether an instance that is there already is left alone or gets a new version. */
export type StoreMode = 'create' | 'replace';

/** An instance that is to be committed once its files are there. */
export interface Arriving {
  readonly instance: NewInstance;
  readonly mode: StoreMode;
  /** Settles when its files are stored, or are not going to be. */
  readonly uploaded: Promise<unknown>;
  /** Aborted when it is not to be committed any more. */
  readonly givenUp: AbortSignal | undefined;
}

/** The state of one store while it races other writers. */
interface StoreAttempt {
  readonly write: Ulid;
  /** All that it has taken on, in order. */
  readonly taken: Map<NewInstance, Arriving>;
  /** What is still to be committed, and in the end what was. */
  readonly left: Set<NewInstance>;
  /** Those that will not be committed: as their upload failed or they were given up, or the rows of the study have no room. */
  readonly failed: Map<NewInstance, unknown>;
  readonly tooMuch: Set<NewInstance>;
  readonly attempts: Attempts;
  readonly tagger: Tagger;
  /** The commit of what is left may have happened. */
  isInDoubt: boolean;
}

/** What is done with the rows of those that may be there already. */
type Look = 'none' | 'hint' | 'sure';

export class StoreCommit {
  readonly #rows: StudyRows;
  readonly #join: () => readonly Arriving[];

  /** @param join - takes along what has come in since, as much as fits into the commit. */
  constructor(rows: StudyRows, join: () => readonly Arriving[]) {
    this.#rows = rows;
    this.#join = join;
  }

  /**
   * Commits the instances of a batch, and those that join it while it loses races; answers what became of each, or why
   * it was not committed.
   */
  async store(batch: readonly Arriving[]): Promise<readonly StoreOutcome[]> {
    const { parts, partition } = this.#rows;
    const write = parts.newUlid();
    const attempted: StoreAttempt = {
      write,
      taken: new Map(),
      left: new Set(),
      failed: new Map(),
      tooMuch: new Set(),
      attempts: new Attempts(this.#rows, write),
      tagger: new Tagger(parts.files, partition),
      isInDoubt: false,
    };
    takeOn(attempted, batch);
    try {
      await this.#commitLeft(attempted);
    } catch (error) {
      // What may have been committed stays: only who settles it can tell.
      if (!attempted.isInDoubt) {
        attempted.left.clear();
        await attempted.attempts.takeBack().catch(passOver);
      }
      throw error;
    } finally {
      this.#rows.endTurn();
      this.#discardAllBut(attempted);
    }
    const { left, tooMuch, failed } = attempted;
    return [...attempted.taken.keys()].map((instance) => {
      if (failed.has(instance)) return { error: failed.get(instance) };
      return left.has(instance) ? 'stored' : tooMuch.has(instance) ? 'no-room' : 'exists';
    });
  }

  /** Removes the files of those that were not committed, when their uploads are over. */
  #discardAllBut({ taken, left }: StoreAttempt): void {
    const { partition, parts } = this.#rows;
    for (const [instance, { uploaded }] of taken) {
      if (left.has(instance)) continue;
      const remove = async () => await removeFiles(parts.blobs, partition, [instance.record]);
      parts.background.run(uploaded.then(remove, remove));
    }
  }

  /** Commits what is left of the batch; instances that turn out to be there already leave it. */
  async #commitLeft(attempted: StoreAttempt): Promise<void> {
    const { taken, left, write, attempts } = attempted;
    let look: Look = left.size > 1 ? 'hint' : 'none';
    for (let attempt = 0; ;) {
      await this.#rows.turn();
      takeOn(attempted, this.#join());
      letGo(attempted);
      if (left.size === 0) break;
      // Read before the intent is appended and guarded by the commit: so the changes of a study are
      // committed in the order of their sequences, and an intent under one revision only.
      const series = new Set([...left].map(({ record }) => record.series));
      const state = await this.#rows.current(attempt, series);
      const rows = await this.#rowsThere([...left], state, attempted, look);
      for (const instance of left) {
        const there = rows.get(instance)?.record.version;
        const isLate = instance.update !== undefined && there !== instance.update.of;
        if (isLate || (there !== undefined && !replaces(taken, instance))) left.delete(instance);
      }
      const instances = [...left];
      if (instances.length === 0) break;
      const there = [...rows].filter(([instance]) => left.has(instance));
      const replaced = new Map(there.map(([instance, { record }]) => [instance, record]));
      const tagging = await this.#taggingOf(attempted, instances, there);
      const plan = planStore(this.#rows.partition, state, instances, replaced, write, tagging);
      if (!hasRoom(plan)) {
        await this.#takeOutGrowth(attempted, state, replaced, tagging);
        continue;
      }
      const intent = await this.#announce(attempted, state, plan, replaced, tagging);
      if (intent === undefined) continue;
      attempted.isInDoubt = true;
      const sent = await this.#commitStore(state, plan, instances, rows, intent);
      attempted.isInDoubt = false;
      if (sent.committed) {
        if (plan.study === undefined) throw new RangeError('a store that leaves no study');
        attempts.succeeded(intent, plan, plan.study.created);
        return;
      }
      look = sent.isOfInstance ? 'sure' : 'none';
      if (!sent.isOfInstance || attempt > 2) this.#rows.lost();
      attempt += 1;
    }
    await attempts.takeBack();
  }

  /** What query tags ask for, as this process knows them: the first round tells whether there are others. */
  async #taggingOf(
    { tagger }: StoreAttempt,
    instances: readonly NewInstance[],
    replaced: readonly (readonly [NewInstance, InstanceRow])[],
  ): Promise<Tagging> {
    const { catalog, tags } = this.#rows.parts;
    const set = tags.known;
    const { partition, study } = this.#rows;
    const gone = !tagsInstances(set)
      ? []
      : await Promise.all(
          replaced.map(
            async ([, { record }]) => await catalog.instance(partition, { ...record, study }),
          ),
        );
    return await tagger.taggingOf(
      set,
      instances,
      gone.filter((row) => row !== undefined),
    );
  }

  /**
   * The first round: the intent, the index rows and the uploads.
   *
   * @returns `undefined` when uploads have failed, instances were given up, or there are other query tags: what
   *   is left begins again.
   */
  async #announce(
    attempted: StoreAttempt,
    state: StudyState,
    plan: CatalogPlan,
    replaced: Replaced,
    { set }: Tagging,
  ): Promise<Appended | undefined> {
    const { taken, left, failed, attempts } = attempted;
    const before = failed.size;
    const intent = this.#intentOf(attempted, state, plan, replaced);
    const [appended] = await allOf([
      attempts.append(intent, state, set),
      attempts.index(plan, state.study === undefined),
      ...[...left].map(async (instance) => {
        try {
          await taken.get(instance)?.uploaded;
        } catch (error) {
          failed.set(instance, error);
        }
      }),
    ]);
    letGo(attempted);
    return failed.size > before ? undefined : appended;
  }

  #intentOf(
    { left, write, attempts }: StoreAttempt,
    state: StudyState,
    plan: CatalogPlan,
    replaced: Replaced,
  ): Intent {
    const { partition, study, parts } = this.#rows;
    const changes = [...left].map((instance): Change => {
      const { series, instance: sop, version } = instance.record;
      const old = replaced.get(instance);
      const change = { series, instance: sop, version } as const;
      if (old === undefined) return { ...change, action: 'Create' };
      const { version: previous, original } = old;
      const updated = { ...change, action: 'Update', previous } as const;
      if (instance.update !== undefined) {
        return original === undefined ? { ...updated, files: [] } : updated;
      }
      return original === undefined ? updated : { ...updated, files: [previous, original] };
    });
    const rows = rowsNotImplied([...attempts.written, ...plan.added, ...plan.removed]);
    const id = parts.newUlid();
    const base = state.guard.revision;
    const comes = bytesOf([...left].map(({ record }) => record));
    const goes = bytesOf([...replaced.values()]);
    const totals = totalsOfPlan(state, plan, comes - goes);
    return { partition, study, id, write, base, changes, rows, totals };
  }

  /** Takes those out that bring the rows of the study something new, or all when none does. */
  async #takeOutGrowth(
    { left, tooMuch, write }: StoreAttempt,
    state: StudyState,
    replaced: Replaced,
    tagging: Tagging,
  ): Promise<void> {
    const known = distinctValues(state.study?.record);
    const growing: NewInstance[] = [];
    const grows = (instance: NewInstance): boolean => {
      if (bringsNewValue(state, instance)) return true;
      const old = replaced.get(instance);
      const alone = new Map(old === undefined ? [] : [[instance, old]]);
      const plan = planStore(this.#rows.partition, state, [instance], alone, write, tagging);
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

  /** The rows of those instances that are there, as far as it is worth looking. */
  async #rowsThere(
    instances: readonly NewInstance[],
    { series }: StudyState,
    { taken }: StoreAttempt,
    look: Look,
  ): Promise<ReadonlyMap<NewInstance, InstanceRow>> {
    const find = async (some: readonly NewInstance[], isHint: boolean) =>
      await presentInstances(
        this.#rows.parts,
        this.#rows.partition,
        this.#rows.study,
        some.map(({ record }) => record).filter((record) => series.has(record.series)),
        isHint,
      );
    const found = await Promise.all([
      find(
        instances.filter((instance) => replaces(taken, instance)),
        false,
      ),
      look === 'none'
        ? []
        : find(
            instances.filter((instance) => !replaces(taken, instance)),
            look === 'hint',
          ),
    ]);
    const rows = new Map(found.flat().map((row) => [instanceRowKey(row.record), row]));
    return new Map(
      instances.flatMap((instance) => {
        const row = rows.get(instanceRowKey(instance.record));
        return row === undefined ? [] : [[instance, row] as const];
      }),
    );
  }

  async #commitStore(
    state: StudyState,
    plan: CatalogPlan,
    instances: readonly NewInstance[],
    rows: ReadonlyMap<NewInstance, InstanceRow>,
    intent: Appended,
  ): Promise<Sent> {
    const first = firstOf(intent.sequence, instances.length);
    const operations = instances.flatMap((instance, position): readonly TableOperation[] => {
      const record = { ...instance.record, sequence: first + position * sequenceStride };
      const rowKey = instanceRowKey(record);
      const properties = encodeInstance({ ...instance, record });
      const old = rows.get(instance);
      if (old === undefined) return [{ kind: 'insert', rowKey, properties }];
      const replace = { kind: 'replace', rowKey, properties, etag: old.entity.etag } as const;
      return [replace, ...ofOriginal(instance, old)];
    });
    return await this.#rows.commit(state, plan, operations, intent);
  }
}

/** More instances are to be committed. */
function takeOn({ taken, left }: StoreAttempt, more: readonly Arriving[]): void {
  for (const arriving of more) {
    taken.set(arriving.instance, arriving);
    left.add(arriving.instance);
  }
}

/** Whether an instance gets a new version if it is there already. */
function replaces(taken: StoreAttempt['taken'], instance: NewInstance): boolean {
  return taken.get(instance)?.mode === 'replace';
}

/** Those that failed, or were given up, leave what is to be committed. */
function letGo({ taken, left, failed }: StoreAttempt): void {
  for (const instance of left) {
    const signal = taken.get(instance)?.givenUp;
    if (signal?.aborted === true && !failed.has(instance)) failed.set(instance, signal.reason);
  }
  for (const instance of failed.keys()) left.delete(instance);
}

/** What becomes of the row of the original: put down by the first update, gone with what replaces the instance. */
function ofOriginal({ update }: NewInstance, { record }: InstanceRow): readonly TableOperation[] {
  const rowKey = originalRowKey(record);
  if (update === undefined)
    return record.original === undefined ? [] : [{ kind: 'delete', rowKey }];
  if (record.original !== undefined) return [];
  return [{ kind: 'upsert', rowKey, properties: update.row }];
}

function passOver(error: unknown): void {
  // What storage does not let us take back is found in the log.
  if (!(error instanceof ServiceError)) throw error;
}
