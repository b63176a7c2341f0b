/**
 * Whether the catalog confirms a row of an index: THE rule. Rows are hints, written before the commit that makes
 * them true and removed after the one that makes them false. A row of a study or series is true while the record
 * is of the same making and says that the value was indexed by the same write; one of an instance while the
 * version that wrote it is there.
 */
import type { Tag } from '../../../dicom/tag.js';
import type { SOPInstanceUID } from '../../../dicom/uid.js';
import type { Catalog } from '../catalog.js';
import { rowsOfValue, type Level } from '../keys.js';
import type { Indexes, InstanceRecord, SeriesRecord, StudyRecord } from '../records.js';
import type { Ulid } from '../ulid.js';
import { sopInstanceUid } from './owned-rows.js';
import {
  indexedValue,
  rangeOf,
  type IndexRow,
  type SoughtRange,
  type SoughtValues,
} from './search-index.js';
import { anyEnding, endingOfValue, endingsOf, turnedRound, wordRowsOf } from './word-index.js';

type Owner = Pick<StudyRecord | SeriesRecord, 'created' | 'indexes'>;

/** Whether the record of a study or series confirms a row; `isWord` when its value is that of a word. */
export function isOf(
  { created, indexes }: Owner,
  { level, tag, value, created: rowCreated, write }: IndexRow,
  isWord = false,
): boolean {
  if (created !== rowCreated) return false;
  const values = indexes[tag] ?? {};
  if (!isWord) return values[value] === write;
  return Object.entries(values).some(
    ([whole, by]) => by === write && wordRowsOf(level, tag, whole).includes(value),
  );
}

/** Whether the version of an instance that is there has written a row. What it has for a tag never changes. */
export function isOfVersion(
  { version }: Pick<InstanceRecord, 'version'>,
  { created, write }: Pick<IndexRow, 'created' | 'write'>,
): boolean {
  return version === write && version === created;
}

/** Whether a walk over the sought rows meets a value, spelled as in keys. */
function isSought(tag: Tag, sought: SoughtRange, value: string): boolean {
  const { from = '', to } = rangeOf(tag, sought);
  const { from: key } = rowsOfValue(value);
  return key >= from && (to === undefined || key < to);
}

/** A row that a walk meets: its value, or an ending of it, and the write that it belongs to. */
type Met = readonly [value: string, write: Ulid];

/** The rows of a record that a walk over the sought rows meets, in its order. */
function metBy(
  { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
  sought: SoughtValues,
  indexes: Indexes,
): readonly Met[] {
  const values = Object.entries(indexes[tag] ?? {});
  const met = values.flatMap(([value, write]): readonly Met[] => {
    switch (sought.kind) {
      case 'part':
        return endingsOf(level, tag, value)
          .filter((ending) => ending === anyEnding || ending.startsWith(sought.beginning))
          .map((ending): Met => [endingOfValue(ending, value), write]);
      case 'reverse':
        return [[turnedRound(value), write]];
      default:
        return isSought(tag, sought, value) ? [[value, write]] : [];
    }
  });
  return met.toSorted(([a, first], [b, second]) => (a < b || (a === b && first < second) ? -1 : 1));
}

/** Whether the version of the instance that a row is of confirms it: one by its UID has to be by this one. */
export function isOfInstance(
  now: Pick<InstanceRecord, 'version'>,
  row: IndexRow,
  instance: SOPInstanceUID,
): boolean {
  const isItsUid = row.tag !== sopInstanceUid || row.value === indexedValue(row.tag, instance);
  return isItsUid && isOfVersion(now, row);
}

/**
 * Whether a record confirms what a walk over sought values has met. What it meets in several places counts
 * once, in the first of them in the order of the walk.
 *
 * @param hit - `values` are those under which one write has put the same thing.
 */
export function isFirstMet(
  record: Owner,
  attribute: { readonly level: Level; readonly tag: Tag },
  sought: readonly SoughtValues[],
  hit: Pick<IndexRow, 'created' | 'write'> & { readonly values: readonly string[] },
): boolean {
  if (record.created !== hit.created) return false;
  let first: Met | undefined;
  for (const one of sought) first ??= metBy(attribute, one, record.indexes)[0];
  return first !== undefined && hit.values.includes(first[0]) && first[1] === hit.write;
}

/**
 * Asks the catalog.
 *
 * @param ifOrphaned - answers for a row of a study or series that has no row.
 */
export async function isConfirmed(
  catalog: Catalog,
  row: IndexRow,
  isWord = false,
  ifOrphaned: () => boolean | Promise<boolean> = () => false,
): Promise<boolean> {
  const { study, series, instance } = row.uids;
  if (series !== undefined && instance !== undefined) {
    const now = await catalog.instance(row.partition, { study, series, instance }, ['version']);
    return now !== undefined && isOfInstance(now.record, row, instance);
  }
  const owner =
    series === undefined
      ? await catalog.study(row.partition, study)
      : await catalog.series(row.partition, study, series);
  return owner === undefined ? await ifOrphaned() : isOf(owner, row, isWord);
}
