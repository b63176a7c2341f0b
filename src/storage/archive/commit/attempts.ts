/**
 * What the attempts at one change have put down, index rows and an intent: the next one takes it over, the last one
 * takes it back.
 */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import { allOf } from '../all-of.js';
import type { TagSet } from '../index/query-tags.js';
import { addressOf, type IndexRow } from '../index/search-index.js';
import type { Appended } from '../log/change-log.js';
import type { Intent } from '../log/intent.js';
import type { StudyRecord } from '../records.js';
import type { CatalogPlan, StudyState } from '../study-state.js';
import type { Ulid } from '../ulid.js';
import type { StudyRows } from './study-rows.js';

function keyOf(row: IndexRow): string {
  const { partitionKey, rowKey } = addressOf(row);
  return `${partitionKey}\n${rowKey}`;
}

export class Attempts {
  readonly #rows: StudyRows;
  readonly #write: Ulid;
  /** Index rows, some of attempts that lost their race. */
  readonly #written = new Map<string, IndexRow>();
  #announced: StudyInstanceUID | undefined;
  #browseEtag: string | undefined;
  /** An intent that certainly was not, and will not be, carried out. */
  #lost: Appended | undefined;

  /** @param write - names the change. */
  constructor(rows: StudyRows, write: Ulid) {
    this.#rows = rows;
    this.#write = write;
  }

  /** The index rows so far. */
  get written(): readonly IndexRow[] {
    return [...this.#written.values()];
  }

  /** Writes the index rows of a plan that are not there yet, and the browse row of a study that is new. */
  async index({ study, added }: CatalogPlan, isNewStudy: boolean): Promise<void> {
    const rows = added.filter((row) => !this.#written.has(keyOf(row)));
    for (const row of rows) this.#written.set(keyOf(row), row);
    await allOf([
      this.#rows.parts.index.insert(rows),
      // With every attempt: who fenced the one before may have removed its announcement.
      isNewStudy && study !== undefined ? this.#announce(study) : undefined,
    ]);
  }

  async #announce(study: StudyRecord): Promise<void> {
    const { parts, partition } = this.#rows;
    // Before the call: the row may be there although the answer is lost.
    this.#announced = study.study;
    this.#browseEtag = await parts.browse.announce(partition, study);
  }

  /**
   * Appends the intent of the next attempt in the place of the one before.
   *
   * @param set - the query tags that it was planned with.
   * @returns `undefined` when there are others, which have been read by now: nothing is appended.
   * @throws ServiceError `storage-unavailable` when others have begun to clear away what the last attempt left.
   */
  async append(intent: Intent, { guard }: StudyState, set: TagSet): Promise<Appended | undefined> {
    const { log, tags } = this.#rows.parts;
    const outcome = await log.append(intent, guard.last, this.#lost, set.version);
    if (outcome === 'outdated') {
      await tags.catchUp(set);
      return undefined;
    }
    this.#lost = outcome;
    if (outcome === undefined) {
      throw new ServiceError('storage-unavailable', 'Storage is too slow.');
    }
    return outcome;
  }

  /** The last one was carried out: what follows from that is done behind the answer. */
  succeeded(intent: Appended, plan: CatalogPlan, created: Ulid): void {
    this.#lost = undefined;
    const isAnnounced = this.#announced !== undefined;
    const isOurs = plan.study?.created === this.#write;
    if (isAnnounced && isOurs) this.#rows.announced(this.#browseEtag);
    const used = new Set(plan.added.map(keyOf));
    const unused = [...this.#written].filter(([key]) => !used.has(key)).map(([, row]) => row);
    const removed = [...plan.removed, ...unused];
    const inVain = isAnnounced && !isOurs ? this.#write : undefined;
    this.#rows.follow({ intent, removed, created, study: plan.study, inVain });
  }

  /** Removes what they have put down; then the intent goes. */
  async takeBack(): Promise<void> {
    const { parts, partition } = this.#rows;
    await allOf([
      parts.index.remove(this.written),
      this.#announced && parts.browse.remove(partition, this.#write, this.#announced),
    ]);
    if (this.#lost !== undefined) parts.log.dropped(this.#lost);
  }
}
