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
import type { InstanceRecord, SeriesRecord, StudyRecord } from '../records.js';
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
  const last = instances.at(-1)?.record;
  if (last === undefined) throw new RangeError('nothing to store');
  const study = state.study?.record ?? emptyStudy(last, write);
  const moves = { stored: instances, gone: [...replaced.values()] };
  return planMoves(partition, state, study, moves, write, tagging);
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
  tagging: Tagging = noTagging,
): CatalogPlan {
  const study = state.study?.record;
  if (study === undefined) throw new RangeError('nothing to delete from');
  return planMoves(partition, state, study, { stored: [], gone: instances }, write, tagging);
}

/** What a change does to a study or series. */
interface Moves {
  readonly stored: readonly NewInstance[];
  /** Versions that are replaced, or deleted. */
  readonly gone: readonly InstanceRecord[];
}

/** @param before - the study as it is, or an empty one. */
function planMoves(
  partition: Partition,
  { guard, series: known }: StudyState,
  before: StudyRecord,
  moves: Moves,
  write: Ulid,
  tagging: Tagging,
): CatalogPlan {
  const { stored, gone } = moves;
  const { set, valuesOf } = tagging;
  const series = new Map<SeriesInstanceUID, SeriesRecord | undefined>();
  const modalities: TallyChange[] = [];
  const changes: IndexChange[] = [];
  const removed = [
    ...gone.flatMap((instance) => instanceIndexRows(partition, instance)),
    ...tagging.gone,
  ];
  const storedIn = groupBy(stored, ({ record }) => record.series);
  const goneFrom = groupBy(gone, (record) => record.series);
  for (const uid of new Set([...storedIn.keys(), ...goneFrom.keys()])) {
    const old = known.get(uid)?.record;
    const after = seriesAfter(
      old ?? emptySeries(before.study, uid, write),
      { stored: storedIn.get(uid) ?? [], gone: goneFrom.get(uid) ?? [] },
      tagging,
    );
    modalities.push(...modalityChanges(old, after));
    if (after === undefined) {
      if (old === undefined) throw new RangeError('an instance without its series');
      removed.push(...seriesIndexRows(partition, old));
      series.set(uid, undefined);
    } else {
      const change = changeSeriesIndexes(partition, after, write, set);
      changes.push(change);
      series.set(uid, { ...after, indexes: change.indexes });
    }
  }
  const newest = newestOf(stored);
  const record: StudyRecord = {
    ...before,
    revision: guard.revision + 1,
    write,
    ...(newest !== undefined && { newest: { series: newest.series, instance: newest.instance } }),
    series: [...series].reduce(
      (sum, [uid, after]) => sum + Number(after !== undefined) - Number(known.has(uid)),
      before.series,
    ),
    instances: before.instances + stored.length - gone.length,
    attributes: withInstances('study', before.attributes, stored, tagging),
    modalities: count(before.modalities, modalities),
    sopClasses: count(before.sopClasses, sopClassChanges(moves)),
  };
  if (record.instances === 0) {
    removed.push(...studyIndexRows(partition, before));
    return { study: undefined, series, added: [], removed };
  }
  const change = changeStudyIndexes(partition, record, write, set);
  changes.push(change);
  return {
    study: { ...record, indexes: change.indexes },
    series,
    added: [
      ...changes.flatMap((one) => one.added),
      ...stored.flatMap((instance) => [
        ...instanceIndexRows(partition, instance.record),
        ...taggedIndexRows(partition, instance.record, valuesOf(instance), set),
      ]),
    ],
    removed: [...changes.flatMap((one) => one.removed), ...removed],
  };
}

/** A series after a change; `undefined` when nothing is left of it. */
function seriesAfter(
  series: Omit<SeriesRecord, 'newest'> & Partial<Pick<SeriesRecord, 'newest'>>,
  moves: Moves,
  tagging: Tagging,
): SeriesRecord | undefined {
  const { stored, gone } = moves;
  const instances = series.instances + stored.length - gone.length;
  const newest = newestOf(stored)?.instance ?? series.newest ?? stored.at(-1)?.record.instance;
  if (instances <= 0 || newest === undefined) return undefined;
  return {
    ...series,
    revision: series.revision + 1,
    newest,
    instances,
    attributes: withInstances('series', series.attributes, stored, tagging),
    sopClasses: count(series.sopClasses, sopClassChanges(moves)),
    modalities: count(seriesModalities(series), [
      ...stored.flatMap(({ dataSet }) => joining(modalityIn(dataSet))),
      ...gone.flatMap((instance) => leaving(modalityOfInstance(series, instance))),
    ]),
  };
}

function sopClassChanges({ stored, gone }: Moves): readonly TallyChange[] {
  return [
    ...stored.flatMap(({ record }) => joining(record.sopClass)),
    ...gone.flatMap(({ sopClass }) => leaving(sopClass)),
  ];
}

function emptyStudy({ study, series, instance }: InstanceUids, created: Ulid): StudyRecord {
  return {
    study,
    created,
    revision: 0,
    write: created,
    attributes: {},
    newest: { series, instance },
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

/** The instance stored last: an update leaves that as it was. */
function newestOf(instances: readonly NewInstance[]): NewInstanceRecord | undefined {
  return instances.findLast(({ update }) => update === undefined)?.record;
}

/** The attributes of a study or series after some instances. */
function withInstances(
  level: 'study' | 'series',
  known: DataSet,
  stored: readonly NewInstance[],
  tagging: Tagging,
): DataSet {
  return stored.reduce((all, instance) => withInstance(level, all, instance, tagging), known);
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
