/**
 * What this process knows of the rows of one study, shared by its stores and deletes: the state that
 * guards the next commit, and the copy in the study list.
 */
import type { StudyInstanceUID } from '../../dicom/uid.js';
import { tableLimits, type TableOperation } from '../table-store.js';
import type { BrowseIndex } from './browse-index.js';
import type { CatalogPlan, NewInstanceRecord, StudyState } from './catalog-plan.js';
import type { Catalog } from './catalog.js';
import type { ChangeLog, PendingEntry } from './change-log.js';
import type { Partition } from './keys.js';
import type { LogTiming } from './log-entry.js';
import type { IndexRow, SearchIndex } from './search-index.js';

/** The parts of the archive that writing a study needs. */
export interface StudyParts {
  readonly catalog: Catalog;
  readonly log: ChangeLog;
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
  readonly timing: LogTiming;
  /** Removes the files of versions that the catalog does not have, or no longer. */
  readonly discard: (instances: readonly DiscardedInstance[]) => void;
}

export interface DiscardedInstance {
  readonly record: NewInstanceRecord;
}

/** Instance and series rows that fit into a transaction beside the study row. */
export const rowsPerTransaction = tableLimits.transactionOperations - 1;

/** Rows of instances and of the series that they are in. */
export function rowCount(instances: readonly { readonly record: NewInstanceRecord }[]): number {
  return instances.length + new Set(instances.map(({ record }) => record.series)).size;
}

/** As many index rows as one entry of the log has room for; a series needs far fewer. */
const indexRowsPerEntry = 40;

/**
 * What recovery cannot tell from the instances of a change, the index rows of studies and series:
 * the share of one of its entries.
 *
 * @param before - rows of earlier attempts at the change.
 */
export function rowsAboveInstances(
  { added, removed }: CatalogPlan,
  before: readonly IndexRow[],
  entry: number,
): readonly IndexRow[] {
  const rows = [...new Set([...before, ...added, ...removed])].filter(
    ({ level }) => level !== 'instance',
  );
  return rows.slice(entry * indexRowsPerEntry, (entry + 1) * indexRowsPerEntry);
}

/** Whether a commit may still be sent: later, its entries could be taken for dead (see `log-entry`). */
export function isFresh(
  entries: readonly PendingEntry[],
  { commitWithinMilliseconds }: LogTiming,
): boolean {
  const oldest = Math.min(...entries.map(({ appended }) => appended));
  return Date.now() - oldest < commitWithinMilliseconds;
}

export class StudyRows {
  readonly partition: Partition;
  readonly study: StudyInstanceUID;
  readonly parts: StudyParts;
  /** The rows as this process left them; forgotten when another process was faster. */
  #state: StudyState | undefined;
  #warming: Promise<StudyState | undefined> | undefined;
  #browseEtag: string | undefined;

  constructor(partition: Partition, study: StudyInstanceUID, parts: StudyParts) {
    this.partition = partition;
    this.study = study;
    this.parts = parts;
  }

  /** Reads the rows ahead of a commit that is to come, unless `isBusy` says that one is under way. */
  async warm(isBusy: () => boolean): Promise<void> {
    if (this.#state !== undefined || isBusy()) return;
    this.#warming ??= this.#readAhead(isBusy);
    await this.#warming;
  }

  async #readAhead(isBusy: () => boolean): Promise<StudyState | undefined> {
    try {
      const state = await this.read();
      if (!isBusy()) this.#state ??= state;
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

  /** The rows as known; on a first attempt, as they are just being read ahead. */
  async current(attempt: number): Promise<StudyState> {
    this.#state ??= attempt === 0 ? await this.#warming : undefined;
    return (this.#state ??= await this.read());
  }

  /** Forgets the rows: another process was faster. */
  forget(): void {
    this.#state = undefined;
  }

  /**
   * Commits a plan on a state; answers whether it was committed.
   *
   * @throws ServiceError when that is not known.
   */
  async commit(
    state: StudyState,
    plan: CatalogPlan,
    operations: readonly TableOperation[],
  ): Promise<boolean> {
    // Forgotten until the transaction is known to have happened.
    this.#state = undefined;
    const { catalog } = this.parts;
    const outcome = await catalog.commit(this.partition, this.study, state, plan, operations);
    if (outcome.committed) this.#state = outcome.state;
    return outcome.committed;
  }

  /** The copy in the study list has been written by this process. */
  announced(etag: string | undefined): void {
    this.#browseEtag = etag;
  }

  /** Marks the copy in the study list as unsure, before the study may vanish. */
  async doubtBrowse({ study }: StudyState): Promise<void> {
    if (study === undefined) return;
    const { browse } = this.parts;
    this.#browseEtag = await browse.doubt(this.partition, study.record, this.#browseEtag);
  }

  /** Brings the copy in the study list up to a committed plan. */
  async refreshBrowse({ study }: CatalogPlan): Promise<void> {
    if (study === undefined) return;
    this.#browseEtag = await this.parts.browse.refresh(this.partition, study, this.#browseEtag);
  }
}
