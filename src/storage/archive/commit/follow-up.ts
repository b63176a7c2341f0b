/**
 * What follows the commits of a study behind their answers: index rows that are no longer true go, the
 * copy in the study list is brought up to date, and the log is told. Merged for the commits of a moment;
 * what the process does not get done, recovery does.
 */
import { ServiceError } from '../../../errors.js';
import { timeBudgets } from '../../../time-budgets.js';
import { allOf } from '../all-of.js';
import type { Appended } from '../log/change-log.js';
import type { StudyRecord } from '../records.js';
import type { IndexRow } from '../index/search-index.js';
import type { StudyRows } from './study-rows.js';
import type { Ulid } from '../ulid.js';

export interface Committed {
  readonly intent: Appended;
  readonly removed: readonly IndexRow[];
  /** When the study was made. */
  readonly created: Ulid;
  /** `undefined` when the study is gone. */
  readonly study: StudyRecord | undefined;
  /** A study of the same UID that was announced and never made. */
  readonly inVain: Ulid | undefined;
}

const tries = 5;

export class FollowUp {
  readonly #rows: StudyRows;
  #waiting: Committed[] = [];
  #running: Promise<void> | undefined;

  constructor(rows: StudyRows) {
    this.#rows = rows;
  }

  get idle(): boolean {
    return this.#running === undefined;
  }

  /** Something has been committed. */
  add(committed: Committed): void {
    const { partition, study, parts } = this.#rows;
    parts.browse.committed(partition, committed.created, study, committed.study);
    this.#waiting.push(committed);
    if (this.#running !== undefined) return;
    this.#running = this.#run();
    parts.background.run(this.#running);
  }

  async #run(): Promise<void> {
    const { background, timing } = this.#rows.parts;
    for (let failures = 0; this.#waiting.length > 0;) {
      await background.pause(
        failures === 0 ? timing.mergeFollowUps : timeBudgets.retryFollowUps * failures,
      );
      const some = this.#waiting;
      this.#waiting = [];
      try {
        await this.#follow(some);
        failures = 0;
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        failures += 1;
        if (failures < tries) this.#waiting = [...some, ...this.#waiting];
        else failures = 0;
      }
    }
    this.#running = undefined;
  }

  async #follow(some: readonly Committed[]): Promise<void> {
    const { partition, study: uid, parts } = this.#rows;
    const last = some.at(-1);
    const gone = some.flatMap(({ study, created, inVain = [] }) =>
      study === undefined ? created : inVain,
    );
    await allOf([
      parts.index.remove(some.flatMap(({ removed }) => removed)),
      ...gone.map(async (created) => await parts.browse.remove(partition, created, uid)),
      last?.study && this.#rows.refreshBrowse(last.study),
    ]);
    for (const { created, study, intent } of some) {
      parts.browse.followed(partition, created, uid, study);
      parts.log.finished(intent);
    }
  }
}
