/**
 * What a store or a delete makes of the rows of a study: pure arithmetic on records, repeated
 * whenever another writer was faster.
 */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet, Element } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import { pick, stringOf } from '../../../dicom/value.js';
import type { InstanceUids, SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { groupBy } from '../../../group-by.js';
import { mergeLevel, noTags, tagsOf, type TagSet } from '../index/query-tags.js';
import type { Properties } from '../../table-store.js';
import type { Partition } from '../keys.js';
import {
  noGuard,
  stateCharacters,
  type InstanceRecord,
  type SeriesRecord,
  type StudyGuard,
  type StudyRecord,
  type Tally,
} from '../records.js';
import { changeIndexes, rowsOf, type IndexChange, type IndexRow } from '../index/search-index.js';
import type { Totals } from '../log/totals.js';
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

/** A record with the ETag of its row. */
export interface Versioned<Record> {
  readonly record: Record;
  readonly etag: string;
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

/** A property of a row holds 32 Ki characters; some are left for what only grows by digits. */
const mostStateCharacters = 30_000;

const modalityTag = attribute('Modality');
const modalitiesInStudyTag = attribute('ModalitiesInStudy');
const sopInstanceUidTag = attribute('SOPInstanceUID');

type Change = readonly [key: string, by: 1 | -1];

/** A tally may have hundreds of keys: it is copied once for all changes. */
function count(tally: Tally, changes: readonly Change[]): Tally {
  if (changes.length === 0) return tally;
  const counts = new Map(Object.entries(tally));
  for (const [key, by] of changes) {
    const after = (counts.get(key) ?? 0) + by;
    if (after > 0) counts.set(key, after);
    else counts.delete(key);
  }
  return Object.fromEntries(counts);
}

/** The attribute that a tally of modalities stands for. */
export function modalitiesElement(modalities: Tally): Element {
  const Value = Object.keys(modalities).sort();
  return Value.length > 0 ? { vr: 'CS', Value } : { vr: 'CS' };
}

/** The attributes of a study that are indexed and that no file carries. */
export function computedAttributes({ modalities }: StudyRecord): DataSet {
  return { [modalitiesInStudyTag]: modalitiesElement(modalities) };
}

function studyIndexes(
  partition: Partition,
  record: StudyRecord,
  write: Ulid,
  set: TagSet,
): IndexChange {
  return changeIndexes(
    { partition, level: 'study', uids: { study: record.study }, created: record.created },
    { ...record.attributes, ...computedAttributes(record) },
    record.indexes,
    write,
    set,
  );
}

function seriesOwner(partition: Partition, { study, series, created }: SeriesRecord) {
  return { partition, level: 'series', uids: { study, series }, created } as const;
}

/** The index rows of one instance; they belong to its version. */
export function instanceIndexRows(
  partition: Partition,
  { study, series, instance, version }: InstanceUids & { readonly version: Ulid },
): readonly IndexRow[] {
  return changeIndexes(
    { partition, level: 'instance', uids: { study, series, instance }, created: version },
    { [sopInstanceUidTag]: { vr: 'UI', Value: [instance] } },
    {},
    version,
  ).added;
}

/** The rows by which an instance is found by query tags; they belong to its version. */
export function taggedIndexRows(
  partition: Partition,
  { study, series, instance, version }: InstanceUids & { readonly version: Ulid },
  tagged: DataSet,
  set: TagSet,
): readonly IndexRow[] {
  const tags = tagsOf(set, 'instance');
  if (tags.length === 0) return [];
  const uids = { study, series, instance };
  const owner = { partition, level: 'instance', uids, created: version } as const;
  return changeIndexes(owner, tagged, {}, version, { ...set, tags }).added;
}

/** Modality, empty where none is told. */
export function modalityIn(dataSet: DataSet): string {
  return stringOf(dataSet, modalityTag) ?? '';
}

/** Instances per modality; in rows of old that do not tell them, all have that of the series. */
export function seriesModalities(series: Omit<SeriesRecord, 'newest'>): Tally {
  const modality = modalityIn(series.attributes);
  return series.modalities ?? (modality === '' ? {} : { [modality]: series.instances });
}

/** The modalities of a series: those of its instances, and the one that it has itself. */
export function modalitiesOf(series: SeriesRecord | undefined): readonly string[] {
  if (series === undefined) return [];
  const all = new Set([modalityIn(series.attributes), ...Object.keys(seriesModalities(series))]);
  return [...all].filter((modality) => modality !== '');
}

function modalityChanges(
  before: SeriesRecord | undefined,
  after: SeriesRecord | undefined,
): readonly Change[] {
  const [old, now] = [modalitiesOf(before), modalitiesOf(after)];
  return [
    ...old.filter((modality) => !now.includes(modality)).flatMap(leaving),
    ...now.filter((modality) => !old.includes(modality)).flatMap(joining),
  ];
}

function leaving(key: string): readonly Change[] {
  return key === '' ? [] : [[key, -1]];
}

function joining(key: string): readonly Change[] {
  return key === '' ? [] : [[key, 1]];
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
  const modalities: Change[] = [];

  for (const [uid, added] of groupBy(instances, (instance) => instance.record.series)) {
    const before = state.series.get(uid)?.record;
    const after = addToSeries(before ?? emptySeries(study, uid, write), added, replaced, tagging);
    const change = changeIndexes(
      seriesOwner(partition, after),
      after.attributes,
      after.indexes,
      write,
      set,
    );
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
  const change = studyIndexes(partition, record, write, set);
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

/**
 * Whether the rows above the instances have room for what a plan wants to count and to index.
 * Modalities, SOP classes and indexed values are few, unless someone makes them many.
 */
export function hasRoom({ study, series }: CatalogPlan): boolean {
  return (
    (study === undefined || stateCharacters(study) <= mostStateCharacters) &&
    [...series.values()].every(
      (record) => record === undefined || stateCharacters(record) <= mostStateCharacters,
    )
  );
}

/** How many different values the row of a study counts and indexes. */
export function distinctValues(study: StudyRecord | undefined): number {
  if (study === undefined) return 0;
  const { modalities, sopClasses, indexes } = study;
  return [modalities, sopClasses, ...Object.values(indexes)].reduce(
    (sum, values) => sum + Object.keys(values).length,
    0,
  );
}

/**
 * Whether the row of the study certainly counts one value more with an instance: it takes no plan to see
 * that for a new series, where nothing goes that was counted before.
 */
export function bringsNewValue({ study, series }: StudyState, instance: NewInstance): boolean {
  if (study === undefined || series.has(instance.record.series)) return false;
  const { modalities, sopClasses } = study.record;
  const modality = modalityIn(instance.dataSet);
  return (
    !Object.hasOwn(sopClasses, instance.record.sopClass) ||
    (modality !== '' && !Object.hasOwn(modalities, modality))
  );
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
        ...leaving(modalityOfInstance(series, replaced.get(instance))),
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

function modalityOfInstance(
  { attributes }: Pick<SeriesRecord, 'attributes'>,
  instance: InstanceRecord | undefined,
): string {
  return instance === undefined ? '' : (instance.modality ?? modalityIn(attributes));
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
  const modalities: Change[] = [];

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
          leftOut.flatMap((instance) => leaving(modalityOfInstance(before, instance))),
        ),
      };
      series.set(uid, after);
      modalities.push(...modalityChanges(before, after));
    } else {
      series.set(uid, undefined);
      removed.push(...rowsOf(seriesOwner(partition, before), before.indexes));
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
    const change = studyIndexes(partition, record, write, set);
    return {
      study: { ...record, indexes: change.indexes },
      series,
      added: change.added,
      removed: [...removed, ...change.removed],
    };
  }
  const owner = {
    partition,
    level: 'study',
    uids: { study: record.study },
    created: record.created,
  } as const;
  return {
    study: undefined,
    series,
    added: [],
    removed: [...removed, ...rowsOf(owner, known.indexes)],
  };
}
