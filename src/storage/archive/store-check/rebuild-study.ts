/**
 * Makes the study and series rows of a study anew from its instance rows: counts of rows that are
 * there, whole rows where they are missing. Attributes of rows that are there stay as they are.
 */
import type { DataSet } from '../../../dicom/data-set.js';
import type { SeriesInstanceUID } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import { chunksOfSize } from '../../../group-by.js';
import { systemRuntime } from '../../runtime.js';
import { tableLimits } from '../../table-store.js';
import {
  changeSeriesIndexes,
  changeStudyIndexes,
  seriesIndexRows,
  studyIndexRows,
} from '../index/owned-rows.js';
import { mergeLevel, taggedValues, type TagSet } from '../index/query-tags.js';
import { backOff } from '../../back-off.js';
import { BrowseIndex } from '../index/browse-index.js';
import { Catalog } from '../catalog.js';
import { browsePartitionKey, browseRowKey, type Partition } from '../keys.js';
import { readTagList, tagSetOf } from '../query-tag-list.js';
import type { SeriesRecord, StudyRecord } from '../records.js';
import { SearchIndex, type IndexChange, type IndexRow } from '../index/search-index.js';
import type { CatalogPlan, StudyState } from '../study-state.js';
import { newUlid, type Ulid } from '../ulid.js';
import type { Stores } from './check-context.js';
import { dataSetOf } from './data-set-of.js';
import { bySeries, differsFrom, judgeRows, seriesCounts, studyCounts } from './judge-rows.js';
import { refreshBrowseRow } from './refresh-browse-row.js';
import {
  isUnchanged,
  readStudy,
  type CheckedInstance,
  type CheckedStudy,
} from './checked-study.js';

/** A study that changes under so many rebuilds is in use. */
const mostAttempts = 30;
/** Room for the study row. */
const seriesPerTransaction = tableLimits.transactionOperations - 1;

interface Rebuilt {
  readonly study: StudyRecord | undefined;
  /** Those that change. */
  readonly series: ReadonlyMap<SeriesInstanceUID, SeriesRecord | undefined>;
  readonly added: readonly IndexRow[];
  readonly removed: readonly IndexRow[];
}

function inOrderOfStore<Instance extends { readonly sequence: number }>(
  instances: readonly Instance[],
): readonly Instance[] {
  return [...instances].sort((a, b) => a.sequence - b.sequence);
}

/** The newest value of each attribute, as stores in their order would have left them. */
async function newestAttributes(
  stores: Stores,
  partition: Partition,
  instances: readonly CheckedInstance[],
  level: 'study' | 'series',
  set: TagSet,
): Promise<DataSet> {
  let attributes: DataSet = {};
  for (const instance of inOrderOfStore(instances)) {
    const dataSet = await dataSetOf(stores, partition, instance);
    const tagged = taggedValues(dataSet, set.tags);
    attributes = mergeLevel(level, attributes, { dataSet, tagged }, set);
  }
  return attributes;
}

function least(ulids: readonly Ulid[], otherwise: Ulid): Ulid {
  return [...ulids].sort()[0] ?? otherwise;
}

async function seriesAsNew(
  stores: Stores,
  { partition, study }: CheckedStudy,
  series: SeriesInstanceUID,
  instances: readonly CheckedInstance[],
  newest: CheckedInstance,
  set: TagSet,
): Promise<SeriesRecord> {
  const attributes = await newestAttributes(stores, partition, instances, 'series', set);
  return {
    study,
    series,
    created: least(
      instances.map(({ version }) => version),
      newest.version,
    ),
    revision: 0,
    attributes,
    newest: newest.instance,
    indexes: {},
    ...seriesCounts(instances, attributes),
  };
}

async function studyAsNew(
  stores: Stores,
  { partition, study, instances }: CheckedStudy,
  series: readonly SeriesRecord[],
  newest: CheckedInstance,
  write: Ulid,
  set: TagSet,
): Promise<StudyRecord> {
  const created = least(
    series.map((record) => record.created),
    write,
  );
  // Readers of the study list go by revisions: the copy that may be there is older.
  const copy = await stores.tables.get(
    'searchindex',
    browsePartitionKey(partition),
    browseRowKey(created, study),
    { select: ['revision'] },
  );
  return {
    study,
    created,
    revision: Number(copy?.properties['revision'] ?? 0),
    write,
    attributes: await newestAttributes(stores, partition, instances, 'study', set),
    newest: { series: newest.series, instance: newest.instance },
    indexes: {},
    ...studyCounts(series, instances),
  };
}

async function rebuild(
  stores: Stores,
  rows: CheckedStudy,
  write: Ulid,
  set: TagSet,
): Promise<Rebuilt> {
  const { partition } = rows;
  const changes: IndexChange[] = [];
  const series = new Map<SeriesInstanceUID, SeriesRecord | undefined>();
  const removed: IndexRow[] = [];
  const below = bySeries(rows.instances);
  for (const [uid, { record }] of rows.series) {
    if (below.has(uid)) continue;
    series.set(uid, undefined);
    removed.push(...seriesIndexRows(partition, record));
  }
  const all: SeriesRecord[] = [];
  for (const [uid, instances] of below) {
    const newest = inOrderOfStore(instances).at(-1);
    if (newest === undefined) continue;
    const before =
      rows.series.get(uid)?.record ??
      (await seriesAsNew(stores, rows, uid, instances, newest, set));
    const change = changeSeriesIndexes(partition, before, write, set);
    changes.push(change);
    const after = {
      ...before,
      ...seriesCounts(instances, before.attributes),
      revision: before.revision + 1,
      indexes: change.indexes,
    };
    const isSame =
      rows.series.has(uid) &&
      !differsFrom(before, instances) &&
      change.added.length + change.removed.length === 0;
    all.push(isSame ? before : after);
    if (!isSame) series.set(uid, after);
  }
  const study = await rebuildStudyRow(stores, rows, all, write, changes, set);
  if (study === undefined && rows.row !== undefined) {
    removed.push(...studyIndexRows(partition, rows.row.record));
  }
  return {
    study,
    series,
    added: changes.flatMap(({ added }) => [...added]),
    removed: [...removed, ...changes.flatMap((change) => [...change.removed])],
  };
}

async function rebuildStudyRow(
  stores: Stores,
  rows: CheckedStudy,
  series: readonly SeriesRecord[],
  write: Ulid,
  changes: IndexChange[],
  set: TagSet,
): Promise<StudyRecord | undefined> {
  const { partition, instances } = rows;
  const newest = inOrderOfStore(instances).at(-1);
  if (newest === undefined) return undefined;
  const before = rows.row?.record ?? (await studyAsNew(stores, rows, series, newest, write, set));
  const record = { ...before, ...studyCounts(series, instances) };
  const change = changeStudyIndexes(partition, record, write, set);
  changes.push(change);
  return { ...record, revision: before.revision + 1, write, indexes: change.indexes };
}

/** The changes in transactions; each writes the study row, the last as it shall be. */
function plansOf({ study, series, added, removed }: Rebuilt): readonly CatalogPlan[] {
  const chunks = chunksOfSize([...series], seriesPerTransaction);
  return (chunks.length === 0 ? [[]] : chunks).map((chunk, index) => ({
    study: study && { ...study, revision: study.revision + index },
    series: new Map(chunk),
    added,
    removed,
  }));
}

/** Commits one plan after the other; answers how many went through before another writer did. */
async function commitAll(
  { tables }: Stores,
  rows: CheckedStudy,
  plans: readonly CatalogPlan[],
): Promise<number> {
  const catalog = new Catalog(tables);
  // A row that was lost begins behind its copy: revisions do not come again.
  const revision = Math.max(rows.guard.revision, (plans[0]?.study?.revision ?? 1) - 1);
  const guard = { ...rows.guard, revision };
  let state: StudyState = { guard, study: rows.row, series: rows.series };
  for (const [index, plan] of plans.entries()) {
    const outcome = await catalog.commit(rows.partition, rows.study, state, plan, []);
    if (!outcome.committed) return index;
    state = outcome.state;
  }
  return plans.length;
}

/**
 * Rebuilds the rows of a study and what follows from them. Safe beside writers: the study row is
 * guarded, and every change of a study writes it.
 *
 * @returns `false` when rows cannot be read.
 * @throws ServiceError `overloaded` when the study never rests.
 */
export async function rebuildStudy(
  stores: Stores,
  partition: Partition,
  study: CheckedStudy['study'],
): Promise<boolean> {
  const { tables } = stores;
  const index = new SearchIndex(tables);
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    const rows = await readStudy(tables, partition, study);
    if (rows.unreadable.length > 0) return false;
    // One rebuild mends every finding in the rows of a study.
    if (judgeRows(rows).length === 0 && (await isUnchanged(tables, rows))) return true;
    // Read after the rows: they cannot have values for tags that it does not know.
    const set = tagSetOf(await readTagList(tables));
    const rebuilt = await rebuild(stores, rows, newUlid(), set);
    if (await isUnchanged(tables, rows)) {
      await index.insert(rebuilt.added);
      const plans = plansOf(rebuilt);
      const committed = await commitAll(stores, rows, plans);
      if (committed === plans.length) {
        await index.remove(rebuilt.removed);
        if (rebuilt.study !== undefined) await refreshBrowseRow(stores, partition, study);
        else if (rows.row !== undefined) {
          await new BrowseIndex(tables, systemRuntime).remove(
            partition,
            rows.row.record.created,
            study,
          );
        }
        return true;
      }
      // Once a part is committed, its index rows are needed.
      if (committed === 0) await index.remove(rebuilt.added);
    }
    await backOff(systemRuntime, attempt);
  }
  throw new ServiceError('overloaded', 'The study never rests. Try again.');
}
