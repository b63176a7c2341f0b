/**
 * What this process knows of the rows of one study, shared by its stores and deletes: the state that
 * guards the next commit, and the copy in the study list.
 */
import type { SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import { tableLimits, type TableOperation } from '../../table-store.js';
import { backOff } from '../../back-off.js';
import type { Background } from '../background.js';
import type { NewInstanceRecord } from './catalog-plan.js';
import type { QueryTagList } from '../query-tag-list.js';
import type { Appended, ChangeLog } from '../log/change-log.js';
import { hasHappened, openAmong } from '../log/verdict.js';
import { FollowUp, type Committed } from './follow-up.js';
import type { InstanceFiles } from '../files.js';
import type { Partition } from '../keys.js';
import type { SettleParts } from './settle.js';
import { Turn } from './turn.js';
import type { StudyRecord } from '../records.js';
import { sopInstanceUid } from '../index/owned-rows.js';
import type { IndexRow } from '../index/search-index.js';
import { heldBytes, type CatalogPlan, type StudyState } from '../study-state.js';
import type { Ulid } from '../ulid.js';

/** The parts of the archive that writing a study needs. */
export interface StudyParts extends SettleParts {
  readonly files: InstanceFiles;
  readonly log: ChangeLog;
  readonly tags: QueryTagList;
  readonly newUlid: () => Ulid;
  readonly background: Background;
}

/** Instance and series rows that fit into a transaction beside the study row. */
export const rowsPerTransaction = tableLimits.transactionOperations - 1;

/** Rows of instances and of the series that they are in. */
export function rowCount(instances: readonly { readonly record: NewInstanceRecord }[]): number {
  const originals = instances.filter(({ record }) => record.original !== undefined).length;
  return instances.length + originals + new Set(instances.map(({ record }) => record.series)).size;
}

/**
 * What recovery cannot tell from the instances of a change: the index rows of studies and series, and those of
 * query tags.
 */
export function rowsNotImplied(rows: Iterable<IndexRow>): readonly IndexRow[] {
  return [...new Set(rows)].filter(
    ({ level, tag }) => level !== 'instance' || tag !== sopInstanceUid,
  );
}

/** A study row names as many commits before its writers ask the log which of them it need not. */
const mostCommits = 64;
/** Rows of a crowded study are read again rather than used after so long. */
const trustMilliseconds = 15;
/** Commits without an answer are sent again so often; the last one after about four seconds. */
const mostSendings = 6;

/** What became of a commit; `isOfInstance` when the row of an instance may have been in its way. */
export type Sent =
  { readonly committed: true } | { readonly committed: false; readonly isOfInstance: boolean };

export class StudyRows {
  readonly partition: Partition;
  readonly study: StudyInstanceUID;
  readonly parts: StudyParts;
  readonly #followUp: FollowUp;
  /** What is known of the rows takes about so many bytes of memory. */
  heldBytes = 0;
  /** The rows as this process left them, or saw them last. */
  #state: StudyState | undefined;
  /** Whether nothing is known to have changed them since. */
  #isCurrent = false;
  /** When they were written or read, by the clock of storage. */
  #knownAt = 0;
  /** When the last attempt at a commit began, by the clock of storage, and how many milliseconds it took. */
  #begun = 0;
  #took = 0;
  /** Whether others write the study as well, and whether the change at hand has met them. */
  #isCrowded = false;
  #hasMetOthers = false;
  readonly #turn: Turn;
  #warming: Promise<StudyState | undefined> | undefined;
  #browseEtag: string | undefined;
  /** The revision of the study when its copy was marked as unsure last. */
  #doubted = -1;

  constructor(partition: Partition, study: StudyInstanceUID, parts: StudyParts) {
    this.partition = partition;
    this.study = study;
    this.parts = parts;
    this.#followUp = new FollowUp(this);
    this.#turn = new Turn(parts, partition, study);
  }

  /** Whether nothing is left to be done behind answers, and nothing is being read ahead. */
  get idle(): boolean {
    return this.#followUp.idle && this.#warming === undefined;
  }

  #know(state: StudyState): void {
    this.#state = state;
    this.heldBytes = heldBytes(state);
    this.#isCurrent = true;
    this.#knownAt = this.parts.tables.now();
  }

  /** The rows have been read; they are other than this process left them when another has written them. */
  #found(state: StudyState): void {
    this.#hasMetOthers ||= state.guard.revision !== this.#state?.guard.revision;
    this.#know(state);
  }

  /** Reads the rows ahead of a commit that is to come, unless `isBusy` says that one is under way. */
  async warm(isBusy: () => boolean): Promise<void> {
    if (this.#isCurrent || isBusy()) return;
    this.#warming ??= this.#readAhead(isBusy);
    await this.#warming;
  }

  async #readAhead(isBusy: () => boolean): Promise<StudyState | undefined> {
    try {
      const state = await this.read();
      if (!isBusy() && !this.#isCurrent) this.#found(state);
      return state;
    } catch {
      // Whoever needs the rows reads them again.
      return undefined;
    } finally {
      this.#warming = undefined;
    }
  }

  /** The rows as they are. */
  async read(): Promise<StudyState> {
    return await this.parts.catalog.state(this.partition, this.study);
  }

  /**
   * The rows as known; on a first attempt, as they are just being read ahead.
   *
   * @param series - whose rows are needed.
   */
  async current(attempt: number, series: ReadonlySet<SeriesInstanceUID>): Promise<StudyState> {
    const { catalog } = this.parts;
    const ahead = attempt === 0 && !this.#isCurrent ? await this.#warming : undefined;
    const known = this.#isTrusted() ? this.#state : ahead;
    if (known !== undefined) return known;
    const before = this.#state;
    const state =
      before === undefined
        ? await this.read()
        : await catalog.stateSince(before, this.partition, this.study, series);
    this.#found(state);
    return state;
  }

  /** Of a study that others write as well, what was known a moment ago is no longer so: an attempt would be in vain. */
  #isTrusted(): boolean {
    const age = this.parts.tables.now() - this.#knownAt;
    return this.#isCurrent && (!this.#isCrowded || age <= trustMilliseconds);
  }

  /** Another process was faster: the study is crowded until a change meets no other any more. */
  lost(): void {
    this.#isCrowded = true;
    this.#hasMetOthers = true;
  }

  /** An attempt begins: in a crowded study when it is the turn of this process. Meanwhile more comes in that goes along. */
  async turn(): Promise<void> {
    if (this.#isCrowded && (await this.#turn.take(this.#took))) this.#hasMetOthers = true;
    this.#begun = this.parts.tables.now();
  }

  /** A change is in, or has been given up. */
  endTurn(): void {
    this.#turn.end();
  }

  /**
   * Commits a plan, and notes the intent that is carried out with it. A commit without an answer is sent
   * again until it is known what became of it: under one revision it succeeds once at most.
   *
   * @throws ServiceError when that is not to be found out.
   */
  async commit(
    state: StudyState,
    plan: CatalogPlan,
    operations: readonly TableOperation[],
    { sequence }: Appended,
  ): Promise<Sent> {
    const { catalog, runtime } = this.parts;
    const isClosed = await this.#closedAmong(state.guard.commits);
    // Until the transaction is known to have happened.
    this.#isCurrent = false;
    let unanswered = false;
    for (let sending = 1; ; sending++) {
      let refused: Sent | undefined;
      try {
        const noted = { intent: sequence, isClosed };
        const outcome = await catalog.commit(
          this.partition,
          this.study,
          state,
          plan,
          operations,
          noted,
        );
        // Storage may set its clock meanwhile.
        this.#took = Math.max(this.parts.tables.now() - this.#begun, 0);
        if (outcome.committed) {
          this.#know(outcome.state);
          this.#isCrowded &&= this.#hasMetOthers;
          this.#hasMetOthers = false;
          return { committed: true };
        }
        if (!unanswered) return outcome;
        refused = outcome;
      } catch (error) {
        const isSilent = error instanceof ServiceError && error.code === 'storage-unavailable';
        if (!isSilent || sending === mostSendings) throw error;
        unanswered = true;
        await backOff(runtime, sending + 3);
      }
      const now = await catalog.guard(this.partition, this.study);
      if (now.commits.includes(sequence)) return { committed: true };
      if (now.revision === state.guard.revision) {
        // Refused for another row than that of the study: an earlier sending meets the same row.
        if (refused !== undefined) return refused;
        continue;
      }
      // The row names it no more when somebody else has settled it meanwhile.
      if (await hasHappened(this.parts, sequence)) return { committed: true };
      return { committed: false, isOfInstance: true };
    }
  }

  /** Which commits the study row need not name any more. */
  async #closedAmong(commits: readonly number[]): Promise<(intent: number) => boolean> {
    const { log, tables } = this.parts;
    if (commits.length < mostCommits) return (intent) => log.isClosed(intent);
    const open = await openAmong(tables, commits);
    return (intent) => !open.has(intent);
  }

  /** Something has been committed: what follows from it is done behind the answer. */
  follow(committed: Committed): void {
    this.#followUp.add(committed);
  }

  /** The copy in the study list has been written by this process. */
  announced(etag: string | undefined): void {
    this.#browseEtag = etag;
  }

  /** Marks the copy in the study list as unsure, before the study may vanish. */
  async doubtBrowse({ study }: StudyState): Promise<void> {
    if (study === undefined) return;
    const { browse } = this.parts;
    this.#doubted = study.record.revision;
    this.#browseEtag = await browse.doubt(this.partition, study.record, this.#browseEtag);
  }

  /** Brings the copy in the study list up to a committed record. */
  async refreshBrowse(study: StudyRecord): Promise<void> {
    // What follows from a commit before a doubt does not clear it up.
    const etag = study.revision > this.#doubted ? this.#browseEtag : undefined;
    this.#browseEtag = await this.parts.browse.refresh(this.partition, study, etag);
  }
}
