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
  #heldBytes = 0;

  constructor(parts: StudyParts) {
    this.#parts = parts;
  }

  /** The one writer of a study. */
  of(partition: Partition, study: StudyInstanceUID): StudyWriter {
    const key = studyPartitionKey(partition, study);
    const writer = this.#kept.get(key)?.writer ?? this.#open(partition, study);
    // Re-inserted at the end.
    this.#kept.delete(key);
    this.#kept.set(key, { writer, used: this.#parts.tables.now() });
    this.#forget();
    return writer;
  }

  #open(partition: Partition, study: StudyInstanceUID): StudyWriter {
    return new StudyWriter(partition, study, this.#parts, (more) => (this.#heldBytes += more));
  }

  /** What the writers hold in memory, about: bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Forgets writers that have been idle for long, and those idle for longest when they are many or hold much. */
  #forget(): void {
    const latest = this.#parts.tables.now() - timeBudgets.keepWriter;
    for (const [key, { writer, used }] of this.#kept) {
      if (used >= latest && this.#kept.size <= keptWriters && this.#heldBytes <= keptBytes) break;
      if (!writer.idle) continue;
      this.#heldBytes -= writer.heldBytes;
      this.#kept.delete(key);
    }
  }
}
