/** The index rows of one write of a study, remembered so that those of lost attempts can be removed. */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { allOf } from '../all-of.js';
import type { BrowseIndex } from '../index/browse-index.js';
import type { Partition } from '../keys.js';
import type { StudyRecord } from '../records.js';
import { addressOf, type IndexRow, type SearchIndex } from '../index/search-index.js';
import type { CatalogPlan } from '../study-state.js';
import type { Ulid } from '../ulid.js';

interface IndexParts {
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
}

function keyOf(row: IndexRow): string {
  const { partitionKey, rowKey } = addressOf(row);
  return `${partitionKey}\n${rowKey}`;
}

/** The index rows that one write has put down so far, some for attempts that lost their race. */
export class WrittenIndexRows {
  readonly #parts: IndexParts;
  readonly #partition: Partition;
  readonly #write: Ulid;
  readonly #rows = new Map<string, IndexRow>();
  #announced: StudyInstanceUID | undefined;
  browseEtag: string | undefined;

  constructor(parts: IndexParts, partition: Partition, write: Ulid) {
    this.#parts = parts;
    this.#partition = partition;
    this.#write = write;
  }

  /** Writes the rows of a plan that are not there yet, and the browse row of a study that is new. */
  async insert({ study, added }: CatalogPlan, isNewStudy: boolean): Promise<void> {
    const rows = added.filter((row) => !this.#rows.has(keyOf(row)));
    for (const row of rows) this.#rows.set(keyOf(row), row);
    await allOf([
      this.#parts.index.insert(rows),
      // With every attempt: who fenced the one before may have removed its announcement.
      isNewStudy && study !== undefined ? this.#announce(study) : undefined,
    ]);
  }

  async #announce(study: StudyRecord): Promise<void> {
    // Before the call: the row may be there although the answer is lost.
    this.#announced = study.study;
    this.browseEtag = await this.#parts.browse.announce(this.#partition, study);
  }

  /** All rows so far. */
  get rows(): readonly IndexRow[] {
    return [...this.#rows.values()];
  }

  /** The study that was announced, by when it was to be made. */
  get announced(): Ulid | undefined {
    return this.#announced === undefined ? undefined : this.#write;
  }

  /** Whether the announced study is the one that the plan made. */
  announces(plan: CatalogPlan): boolean {
    return this.#announced !== undefined && plan.study?.created === this.#write;
  }

  /** What a committed plan does not have. */
  unused(plan: CatalogPlan): readonly IndexRow[] {
    const used = new Set(plan.added.map(keyOf));
    return [...this.#rows].filter(([key]) => !used.has(key)).map(([, row]) => row);
  }

  /** Takes everything back: no plan was committed, or that which was has made another study. */
  async removeAll(): Promise<void> {
    await allOf([
      this.#parts.index.remove(this.rows),
      this.#announced === undefined
        ? undefined
        : this.#parts.browse.remove(this.#partition, this.#write, this.#announced),
    ]);
  }
}
