/** What the attempts at one change have put down: the next one takes it over, and the last one takes it back. */
import { ServiceError } from '../../../errors.js';
import type { TagSet } from '../index/query-tags.js';
import type { Appended } from '../log/change-log.js';
import type { Intent } from '../log/intent.js';
import type { StudyState } from '../study-state.js';
import type { Ulid } from '../ulid.js';
import type { StudyRows } from './study-rows.js';
import { WrittenIndexRows } from './written-index-rows.js';

export class Attempts {
  readonly written: WrittenIndexRows;
  readonly #rows: StudyRows;
  /** An intent that certainly was not, and will not be, carried out. */
  #lost: Appended | undefined;

  constructor(rows: StudyRows, write: Ulid) {
    const { parts, partition } = rows;
    this.written = new WrittenIndexRows(parts, partition, write);
    this.#rows = rows;
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

  /** The last one was carried out. */
  succeeded(): void {
    this.#lost = undefined;
  }

  /** Removes what they have put down; then the intent goes. */
  async takeBack(): Promise<void> {
    await this.written.removeAll();
    if (this.#lost !== undefined) this.#rows.parts.log.dropped(this.#lost);
  }
}
