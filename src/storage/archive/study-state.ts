/** The rows of a study above its instances: as they are, and as a write wants them to be. */
import type { SeriesInstanceUID } from '../../dicom/uid.js';
import type { IndexRow } from './index/search-index.js';
import { noGuard, type SeriesRecord, type StudyGuard, type StudyRecord } from './records.js';

/** A record with the ETag of its row. */
export interface Versioned<Record> {
  readonly record: Record;
  readonly etag: string;
  /** Characters of the row: what it takes in memory is in proportion to them. */
  readonly length: number;
}

/** The rows of a study above its instances, as read. */
export interface StudyState {
  readonly guard: StudyGuard;
  /** `undefined` when the study is not there; its row may be. */
  readonly study: Versioned<StudyRecord> | undefined;
  readonly series: ReadonlyMap<SeriesInstanceUID, Versioned<SeriesRecord>>;
}

export const emptyState: StudyState = { guard: noGuard, study: undefined, series: new Map() };

/** The rows as they shall be: `undefined` stands for a row that goes. */
export interface CatalogPlan {
  readonly study: StudyRecord | undefined;
  readonly series: ReadonlyMap<SeriesInstanceUID, SeriesRecord | undefined>;
  readonly added: readonly IndexRow[];
  readonly removed: readonly IndexRow[];
}

/** Of a record in memory for each character of its row, and of a state for itself. */
const bytesPerCharacter = 4;
const bytesPerState = 2048;

/** About how many bytes of memory a state takes. */
export function heldBytes({ study, series }: StudyState): number {
  let characters = study?.length ?? 0;
  for (const { length } of series.values()) characters += length;
  return bytesPerState + characters * bytesPerCharacter;
}
