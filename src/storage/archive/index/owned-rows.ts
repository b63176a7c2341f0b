/**
 * The index rows that records ask for: those of studies and series by the values that they say are indexed,
 * those of instances by their versions.
 */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import type { InstanceUids } from '../../../dicom/uid.js';
import type { Partition } from '../keys.js';
import type { SeriesRecord, StudyRecord } from '../records.js';
import { modalitiesElement } from '../tallies.js';
import type { Ulid } from '../ulid.js';
import { tagsOf, type TagSet } from './query-tags.js';
import {
  changeIndexes,
  rowsOf,
  type IndexChange,
  type IndexOwner,
  type IndexRow,
} from './search-index.js';

const modalitiesInStudy = attribute('ModalitiesInStudy');
/** Every version of an instance has a row for it, which follows from the version alone. */
export const sopInstanceUid = attribute('SOPInstanceUID');

type VersionUids = InstanceUids & { readonly version: Ulid };

export function studyOwner(
  partition: Partition,
  { study, created }: Pick<StudyRecord, 'study' | 'created'>,
) {
  return { partition, level: 'study', uids: { study }, created } as const;
}

export function seriesOwner(
  partition: Partition,
  { study, series, created }: Pick<SeriesRecord, 'study' | 'series' | 'created'>,
) {
  return { partition, level: 'series', uids: { study, series }, created } as const;
}

function instanceOwner(
  partition: Partition,
  { study, series, instance, version }: VersionUids,
): IndexOwner {
  return { partition, level: 'instance', uids: { study, series, instance }, created: version };
}

/** What a study has to be found by, at its present values, those included that no file carries. */
export function changeStudyIndexes(
  partition: Partition,
  record: Pick<StudyRecord, 'study' | 'created' | 'attributes' | 'modalities' | 'indexes'>,
  write: Ulid,
  set: TagSet,
): IndexChange {
  const { attributes, modalities, indexes } = record;
  const all = { ...attributes, [modalitiesInStudy]: modalitiesElement(modalities) };
  return changeIndexes(studyOwner(partition, record), all, indexes, write, set);
}

/** What a series has to be found by, at its present values. */
export function changeSeriesIndexes(
  partition: Partition,
  record: Pick<SeriesRecord, 'study' | 'series' | 'created' | 'attributes' | 'indexes'>,
  write: Ulid,
  set: TagSet,
): IndexChange {
  const { attributes, indexes } = record;
  return changeIndexes(seriesOwner(partition, record), attributes, indexes, write, set);
}

/** The rows that the record of a study says there are. */
export function studyIndexRows(partition: Partition, record: StudyRecord): readonly IndexRow[] {
  return rowsOf(studyOwner(partition, record), record.indexes);
}

/** The rows that the record of a series says there are. */
export function seriesIndexRows(partition: Partition, record: SeriesRecord): readonly IndexRow[] {
  return rowsOf(seriesOwner(partition, record), record.indexes);
}

/** The index rows of one instance; they belong to its version. */
export function instanceIndexRows(partition: Partition, uids: VersionUids): readonly IndexRow[] {
  const attributes: DataSet = { [sopInstanceUid]: { vr: 'UI', Value: [uids.instance] } };
  return changeIndexes(instanceOwner(partition, uids), attributes, {}, uids.version).added;
}

/** The rows by which an instance is found by query tags; they belong to its version. */
export function taggedIndexRows(
  partition: Partition,
  uids: VersionUids,
  tagged: DataSet,
  set: TagSet,
): readonly IndexRow[] {
  const tags = tagsOf(set, 'instance');
  if (tags.length === 0) return [];
  const owner = instanceOwner(partition, uids);
  return changeIndexes(owner, tagged, {}, uids.version, { ...set, tags }).added;
}
