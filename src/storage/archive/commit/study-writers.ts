/** The writers of a process, one for each study, kept for what they know of its rows. */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { timeBudgets } from '../../../time-budgets.js';
import { studyPartitionKey, type Partition } from '../keys.js';
import type { StudyParts } from './study-rows.js';
import { StudyWriter } from './study-writer.js';

/** Writers that are kept. */
const keptWriters = 1000;
/** What those that are kept may hold in memory together. */
const keptBytes = 16 * 1024 ** 2;

interface Kept {
  readonly writer: StudyWriter;
  /** When it was asked for last, in milliseconds since 1970. */
  readonly used: number;
}

export class StudyWriters {
  readonly #parts: StudyParts;
  /** Ordered by last use. */
  readonly #kept = new Map<string, Kept>();

  constructor(parts: StudyParts) {
    this.#parts = parts;
  }

  /** The one writer of a study. */
  of(partition: Partition, study: StudyInstanceUID): StudyWriter {
    const key = studyPartitionKey(partition, study);
    const known = this.#kept.get(key)?.writer;
    const writer = known ?? new StudyWriter(partition, study, this.#parts);
    // Re-inserted at the end.
    this.#kept.delete(key);
    this.#kept.set(key, { writer, used: this.#parts.tables.now() });
    this.#forget();
    return writer;
  }

  /** What the writers hold in memory, about: bytes. */
  get heldBytes(): number {
    let sum = 0;
    for (const { writer } of this.#kept.values()) sum += writer.heldBytes;
    return sum;
  }

  /** Forgets writers that have been idle for long, and those idle for longest when they are many or hold much. */
  #forget(): void {
    const latest = this.#parts.tables.now() - timeBudgets.keepWriter;
    let held = this.heldBytes;
    for (const [key, { writer, used }] of this.#kept) {
      if (used >= latest && this.#kept.size <= keptWriters && held <= keptBytes) break;
      if (!writer.idle) continue;
      held -= writer.heldBytes;
      this.#kept.delete(key);
    }
  }
}
