/**
 * What a store or a delete makes of the rows of a study: pure arithmetic on records, repeated
 * whenever another writer was faster.
 */
import type { DataSet } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import { pick } from '../../../dicom/value.js';
import type { InstanceUids, SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { groupBy } from '../../../group-by.js';
import type { Properties } from '../../table-store.js';
import {
  changeSeriesIndexes,
  changeStudyIndexes,
  instanceIndexRows,
  seriesIndexRows,
  studyIndexRows,
  taggedIndexRows,
} from '../index/owned-rows.js';
import { mergeLevel, noTags, type TagSet } from '../index/query-tags.js';
import type { IndexChange, IndexRow } from '../index/search-index.js';
import type { Partition } from '../keys.js';
import type { Totals } from '../log/totals.js';
import type { InstanceRecord, SeriesRecord, StudyRecord, Tally } from '../records.js';
import type { CatalogPlan, StudyState } from '../study-state.js';
import {
  count,
  joining,
  leaving,
  modalityChanges,
  modalityIn,
  modalityOfInstance,
  seriesModalities,
  type TallyChange,
} from '../tallies.js';
import type { Ulid } from '../ulid.js';

/** What is known of an instance before it has its place in the log. */
export type NewInstanceRecord = Omit<InstanceRecord, 'sequence'>;

/** An instance whose file is stored and whose rows are to be committed. */
export interface NewInstance {
  readonly record: NewInstanceRecord;
  readonly dataSet: DataSet;
  /** Compressed DICOM JSON. */
  readonly metadata: Uint8Array;
  /** Compressed index of frames and bulk values. */
  readonly index: Uint8Array;
  /** There when it is an update of the version that is there. */
  readonly update?: InstanceUpdate;
}

/** What a new version of an instance changes of the one before, whose other attributes and pixels it has. */
export interface InstanceUpdate {
  /** The version that it was made of: another one is left alone. */
  readonly of: Ulid;
  readonly changed: ReadonlySet<Tag>;
  /** The row of that version, which is kept when it is the first that is updated. */
  readonly row: Properties;
}

/**
 * What the partition has more or fewer of when a plan is carried out.
 *
 * @param bytes - of the files that come, less those of the files that go.
 */
export function totalsOfPlan(
  { study: before }: StudyState,
  { study: after }: CatalogPlan,
  bytes: number,
): Totals {
  const [old, now] = [before?.record, after];
  return {
    studies: Number(now !== undefined) - Number(old !== undefined),
    series: (now?.series ?? 0) - (old?.series ?? 0),
    instances: (now?.instances ?? 0) - (old?.instances ?? 0),
    bytes,
  };
}

/** The versions that a store replaces; instances that are not in it are new. */
export type Replaced = ReadonlyMap<NewInstance, InstanceRecord>;

/** What query tags add to a plan. */
export interface Tagging {
  readonly set: TagSet;
  /** What an instance that is stored has for them, as `taggedValues` tells. */
  readonly valuesOf: (instance: NewInstance) => DataSet;
  /** The rows of versions that go. */
  readonly gone: readonly IndexRow[];
}

export const noTagging: Tagging = { set: noTags, valuesOf: () => ({}), gone: [] };

/**
 * Adds instances to a study, or replaces them.
 *
 * @param instances - of one study, at least one.
 * @param replaced - those that are there already.
 * @param write - names this write; a study or series that it makes is `created` by it.
 * @param tagging - what query tags ask for besides.
 */
export function planStore(
  partition: Partition,
  state: StudyState,
  instances: readonly NewInstance[],
  replaced: Replaced,
  write: Ulid,
  tagging: Tagging = noTagging,
): CatalogPlan {
  const { set, valuesOf, gone } = tagging;
  const [first] = instances;
  const last = instances.at(-1);
  if (first === undefined || last === undefined) throw new RangeError('nothing to store');
  const { study } = first.record;

  const known = state.study?.record;
  let record: StudyRecord = known ?? emptyStudy(study, write, last.record);
  const series = new Map<SeriesInstanceUID, SeriesRecord>();
  const changes: IndexChange[] = [];
  const modalities: TallyChange[] = [];

  for (const [uid, added] of groupBy(instances, (instance) => instance.record.series)) {
    const before = state.series.get(uid)?.record;
    const after = addToSeries(before ?? emptySeries(study, uid, write), added, replaced, tagging);
    const change = changeSeriesIndexes(partition, after, write, set);
    changes.push(change);
    series.set(uid, { ...after, indexes: change.indexes });
    record = { ...record, series: record.series + (before === undefined ? 1 : 0) };
    modalities.push(...modalityChanges(before, after));
  }

  const newest = newestOf(instances);
  record = {
    ...record,
    revision: state.guard.revision + 1,
    write,
    ...(newest !== undefined && { newest: { series: newest.series, instance: newest.instance } }),
    instances: record.instances + instances.length - replaced.size,
    attributes: instances.reduce(
      (attributes, instance) => withInstance('study', attributes, instance, tagging),
      record.attributes,
    ),
    modalities: count(record.modalities, modalities),
    sopClasses: countSopClasses(record.sopClasses, instances, replaced),
  };
  const change = changeStudyIndexes(partition, record, write, set);
  changes.push(change);
  return {
    study: { ...record, indexes: change.indexes },
    series,
    added: [
      ...changes.flatMap(({ added }) => added),
      ...instances.flatMap((instance) => [
        ...instanceIndexRows(partition, instance.record),
        ...taggedIndexRows(partition, instance.record, valuesOf(instance), set),
      ]),
    ],
    removed: [
      ...changes.flatMap(({ removed }) => removed),
      ...[...replaced.values()].flatMap((old) => instanceIndexRows(partition, old)),
      ...gone,
    ],
  };
}

function modalityLeaving(
  series: Pick<SeriesRecord, 'attributes'>,
  old: InstanceRecord | undefined,
): readonly TallyChange[] {
  return old === undefined ? [] : leaving(modalityOfInstance(series, old));
}

function countSopClasses(
  tally: Tally,
  instances: readonly NewInstance[],
  replaced: Replaced,
): Tally {
  const changes = instances.flatMap((instance) => [
    ...leaving(replaced.get(instance)?.sopClass ?? ''),
    ...joining(instance.record.sopClass),
  ]);
  return count(tally, changes);
}

function emptyStudy(
  study: StudyInstanceUID,
  created: Ulid,
  newest: Omit<InstanceUids, 'study'>,
): StudyRecord {
  return {
    study,
    created,
    revision: 0,
    write: created,
    attributes: {},
    newest,
    series: 0,
    instances: 0,
    modalities: {},
    sopClasses: {},
    indexes: {},
  };
}

function emptySeries(
  study: StudyInstanceUID,
  series: SeriesInstanceUID,
  created: Ulid,
): Omit<SeriesRecord, 'newest'> {
  return {
    study,
    series,
    created,
    revision: 0,
    attributes: {},
    instances: 0,
    sopClasses: {},
    indexes: {},
  };
}

function addToSeries(
  series: Omit<SeriesRecord, 'newest'> & Partial<Pick<SeriesRecord, 'newest'>>,
  added: readonly NewInstance[],
  replaced: Replaced,
  tagging: Tagging,
): SeriesRecord {
  const attributes = added.reduce(
    (known, instance) => withInstance('series', known, instance, tagging),
    series.attributes,
  );
  const [last] = added.slice(-1);
  if (last === undefined) throw new RangeError('nothing to add');
  return {
    ...series,
    revision: series.revision + 1,
    newest: newestOf(added)?.instance ?? series.newest ?? last.record.instance,
    instances: series.instances + added.filter((instance) => !replaced.has(instance)).length,
    attributes,
    sopClasses: countSopClasses(series.sopClasses, added, replaced),
    modalities: count(
      seriesModalities(series),
      added.flatMap((instance) => [
        ...modalityLeaving(series, replaced.get(instance)),
        ...joining(modalityIn(instance.dataSet)),
      ]),
    ),
  };
}

/** The instance stored last: an update leaves that as it was. */
function newestOf(instances: readonly NewInstance[]): NewInstanceRecord | undefined {
  return instances.findLast(({ update }) => update === undefined)?.record;
}

/**
 * The attributes of a study or series after an instance. Of an update only what it changes counts, and counts
 * where it is empty too; all else stays, whichever instance it is from.
 */
function withInstance(
  level: 'study' | 'series',
  known: DataSet,
  instance: NewInstance,
  { set, valuesOf }: Tagging,
): DataSet {
  const { dataSet, update } = instance;
  const tagged = valuesOf(instance);
  if (update === undefined) return mergeLevel(level, known, { dataSet, tagged }, set);
  const { changed } = update;
  const kept = Object.fromEntries(
    Object.entries(known).filter(([tag]) => !changed.has(tag as Tag)),
  );
  const news = { dataSet: pick(dataSet, changed), tagged: pick(tagged, changed) };
  return mergeLevel(level, kept, news, set);
}

/**
 * Takes instances out of a study; series and study rows go with their last instance.
 *
 * @param instances - rows of one study that are there.
 * @param tagging - what query tags ask for besides.
 */
export function planDelete(
  partition: Partition,
  state: StudyState,
  instances: readonly InstanceRecord[],
  write: Ulid,
  { set, gone }: Pick<Tagging, 'set' | 'gone'> = noTagging,
): CatalogPlan {
  const known = state.study?.record;
  if (known === undefined) throw new RangeError('nothing to delete from');
  let record = known;
  const series = new Map<SeriesInstanceUID, SeriesRecord | undefined>();
  const removed: IndexRow[] = [
    ...instances.flatMap((instance) => instanceIndexRows(partition, instance)),
    ...gone,
  ];
  const modalities: TallyChange[] = [];

  for (const [uid, leftOut] of groupBy(instances, (instance) => instance.series)) {
    const before = state.series.get(uid)?.record;
    if (before === undefined) throw new RangeError('an instance without its series');
    const left = before.instances - leftOut.length;
    if (left > 0) {
      const after = {
        ...before,
        revision: before.revision + 1,
        instances: left,
        sopClasses: count(
          before.sopClasses,
          leftOut.flatMap(({ sopClass }) => leaving(sopClass)),
        ),
        modalities: count(
          seriesModalities(before),
          leftOut.flatMap((instance) => modalityLeaving(before, instance)),
        ),
      };
      series.set(uid, after);
      modalities.push(...modalityChanges(before, after));
    } else {
      series.set(uid, undefined);
      removed.push(...seriesIndexRows(partition, before));
      record = { ...record, series: record.series - 1 };
      modalities.push(...modalityChanges(before, undefined));
    }
  }

  record = {
    ...record,
    revision: state.guard.revision + 1,
    write,
    instances: record.instances - instances.length,
    modalities: count(record.modalities, modalities),
    sopClasses: count(
      record.sopClasses,
      instances.flatMap(({ sopClass }) => leaving(sopClass)),
    ),
  };
  if (record.instances > 0) {
    const change = changeStudyIndexes(partition, record, write, set);
    return {
      study: { ...record, indexes: change.indexes },
      series,
      added: change.added,
      removed: [...removed, ...change.removed],
    };
  }
  return {
    study: undefined,
    series,
    added: [],
    removed: [...removed, ...studyIndexRows(partition, known)],
  };
}
