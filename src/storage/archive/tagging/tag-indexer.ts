/**
 * Brings what is stored in step with the query tags: values of tags that were added go into the rows of studies
 * and series and into the index, and out of both when a tag goes. Beside live traffic; every step may be repeated.
 */
import type { DataSet, Element } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import type { InstanceUids, SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { chunksOfSize } from '../../../group-by.js';
import { takeTurns } from '../../../take-turns.js';
import { tableLimits } from '../../table-store.js';
import { allOf } from '../all-of.js';
import type { InstanceRow } from '../catalog.js';
import { backOff } from '../../back-off.js';
import type { SettleParts } from '../commit/settle.js';
import type { InstanceFiles } from '../files.js';
import { levelAttributes } from '../index/attributes.js';
import { seriesOwner, studyOwner, taggedIndexRows } from '../index/owned-rows.js';
import { isBuiltIn, judgeTag, tagsOf, type QueryTag } from '../index/query-tags.js';
import { changeIndexes, rowsOf, type IndexRow } from '../index/search-index.js';
import { instanceRowKey, type Partition } from '../keys.js';
import type { Indexes, SeriesRecord, StudyRecord } from '../records.js';
import type { StudyState } from '../study-state.js';
import { newUlid, type Ulid } from '../ulid.js';
import { BestValues } from './best-values.js';
import { cutBehind } from './cut.js';

/** A study, or what is left of a large one. */
export interface StudyPlace {
  readonly partition: Partition;
  readonly study: StudyInstanceUID;
  /** When it was made: one that is made anew meanwhile is indexed by whoever stores it. */
  readonly created: Ulid;
  /** The instance that was looked at last. */
  readonly after?: Omit<InstanceUids, 'study'>;
  /** What was found so far for those above the instances. */
  readonly best?: string;
}

/** A value that cannot be indexed. */
export interface TagError {
  readonly tag: Tag;
  readonly partition: Partition;
  readonly uids: InstanceUids;
  readonly sequence: number;
  readonly reason: string;
}

export interface IndexedStudy {
  readonly instances: number;
  readonly errors: readonly TagError[];
  /** Where to go on; `undefined` when the study is done. */
  readonly rest: StudyPlace | undefined;
}

/** Series rows that fit into a transaction beside the study row. */
const seriesPerTransaction = tableLimits.transactionOperations - 1;

type Record_ = StudyRecord | SeriesRecord;

interface Changed<Of extends Record_> {
  readonly record: Of;
  /** Rows that have to be there, whether they are new or may be. */
  readonly rows: readonly IndexRow[];
  readonly added: readonly IndexRow[];
  readonly removed: readonly IndexRow[];
  readonly isOther: boolean;
}

interface StudyChange {
  readonly study: Changed<StudyRecord>;
  readonly series: readonly Changed<SeriesRecord>[];
}

function without<Of>(of: Readonly<Record<string, Of>>, tag: Tag): Readonly<Record<string, Of>> {
  return Object.fromEntries(Object.entries(of).filter(([name]) => name !== tag));
}

export class TagIndexer {
  readonly #parts: SettleParts;
  readonly #files: InstanceFiles;

  constructor(parts: SettleParts, files: InstanceFiles) {
    this.#parts = parts;
    this.#files = files;
  }

  /** Resolves when everything that is committed from now on was planned with a version of the tags. */
  async cut(version: number): Promise<void> {
    await cutBehind(this.#parts, version);
  }

  /**
   * Indexes a study, or as much of it as `mostInstances` says: what it has in the catalog, after a cut.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async index(
    place: StudyPlace,
    wanted: readonly QueryTag[],
    mostInstances: number,
  ): Promise<IndexedStudy> {
    const { partition, study, after, best: found } = place;
    const { catalog } = this.#parts;
    const best = BestValues.from(found);
    const errors: TagError[] = [];
    let instances = 0;
    let last = after;
    const paging = after === undefined ? {} : { behind: after };
    const pages = catalog.instances(partition, study, undefined, 'all', paging);
    for await (const page of pages) {
      if (instances >= mostInstances && last !== undefined) {
        const { series } = last;
        await this.#commitSome(place, wanted, best, series);
        const rest = { ...place, after: { series, instance: last.instance }, best: best.encode() };
        return { instances, errors, rest };
      }
      errors.push(...(await this.#indexPage(partition, page, wanted, best)));
      instances += page.length;
      last = page.at(-1)?.record ?? last;
      if (best.series.length > seriesPerTransaction) {
        await this.#commitSome(place, wanted, best, last?.series);
      }
    }
    await this.#commit(place, wanted, best, best.series, true);
    return { instances, errors, rest: undefined };
  }

  /** Commits the series that are done with, all but the one that the last instance is of. */
  async #commitSome(
    place: StudyPlace,
    wanted: readonly QueryTag[],
    best: BestValues,
    open: SeriesInstanceUID | undefined,
  ): Promise<void> {
    const done = best.series.filter((series) => series !== open);
    await this.#commit(place, wanted, best, done, false);
    best.leave(done);
  }

  /** Puts the index rows of instances down, and takes back those of instances that went meanwhile. */
  async #indexPage(
    partition: Partition,
    page: readonly InstanceRow[],
    wanted: readonly QueryTag[],
    best: BestValues,
  ): Promise<readonly TagError[]> {
    const { catalog, index } = this.#parts;
    const errors: TagError[] = [];
    const rows: IndexRow[] = [];
    for (const row of page) {
      const dataSet = await this.#files.dataSet(partition, row);
      rows.push(...judgeInstance(partition, row, dataSet, wanted, best, errors));
      await takeTurns();
    }
    const [first, last] = [page[0]?.record, page.at(-1)?.record];
    if (rows.length === 0 || first === undefined || last === undefined) return errors;
    await index.insert(rows);
    // Who deleted one of them before its rows were there has not removed them.
    const now = await catalog.versionsBetween(partition, first.study, first, last);
    const gone = rows.filter(({ uids: { series, instance }, write }) => {
      if (series === undefined || instance === undefined) return false;
      return now.get(instanceRowKey({ series, instance })) !== write;
    });
    if (gone.length > 0) await index.remove(gone);
    return errors;
  }

  /** Commits what was found for the study and some of its series; what a store has put there is newer, and stays. */
  async #commit(
    { partition, study, created }: StudyPlace,
    wanted: readonly QueryTag[],
    best: BestValues,
    series: readonly SeriesInstanceUID[],
    withStudy: boolean,
  ): Promise<void> {
    const isWanted = (level: 'study' | 'series') => wanted.some((tag) => tag.level === level);
    const ofSeries = isWanted('series') ? series : [];
    if (ofSeries.length === 0 && !(withStudy && isWanted('study'))) return;
    const chunks = ofSeries.length === 0 ? [[]] : chunksOfSize(ofSeries, seriesPerTransaction);
    for (const [position, chunk] of chunks.entries()) {
      await this.#replace(partition, study, (state, write) => {
        if (state.study.record.created !== created) return undefined;
        const ofStudy = studyOwner(partition, state.study.record);
        const changed =
          withStudy && position === 0
            ? addValues(ofStudy, state.study.record, wanted, (tag) => best.valueOf(tag), write)
            : unchanged(state.study.record);
        const changes = chunk.flatMap((uid) => {
          const record = state.series.get(uid)?.record;
          if (record === undefined) return [];
          const valueOf = (tag: Tag) => best.valueOf(tag, uid);
          return [addValues(seriesOwner(partition, record), record, wanted, valueOf, write)];
        });
        return { study: changed, series: changes };
      });
    }
  }

  /**
   * Takes a tag that is going out of a partition: out of the records, then its rows.
   *
   * @param mostRows - after which it is enough for once.
   * @param ensureHeld - throws when somebody else may be at it by now; asked before every page.
   * @returns whether nothing is left.
   */
  async remove(
    partition: Partition,
    tag: QueryTag,
    mostRows: number,
    ensureHeld: () => void = () => undefined,
  ): Promise<boolean> {
    if (isBuiltIn(tag)) return true;
    const { index } = this.#parts;
    let rows = 0;
    for await (const page of index.rowsOfAttribute(partition, tag)) {
      if (rows >= mostRows) return false;
      ensureHeld();
      if (tag.level !== 'instance') {
        const studies = [...new Set(page.map(({ uids }) => uids.study))];
        for (const some of chunksOfSize(studies, studiesAtOnce)) {
          await allOf(some.map(async (study) => await this.#strip(partition, study, tag)));
        }
      }
      await index.remove(page);
      rows += page.length;
    }
    return true;
  }

  async #strip(partition: Partition, study: StudyInstanceUID, tag: QueryTag): Promise<void> {
    for (let isLeft = true; isLeft;) {
      isLeft = false;
      await this.#replace(partition, study, (state) => {
        const all = [...state.series.values()].map(({ record }) => strip(record, 'series', tag));
        const series = all.filter(({ isOther }) => isOther);
        isLeft = series.length > seriesPerTransaction;
        return {
          study: strip(state.study.record, 'study', tag),
          series: series.slice(0, seriesPerTransaction),
        };
      });
    }
  }

  /** Changes the rows of a study as they are by then, if it is there, again when another writer was faster. */
  async #replace(
    partition: Partition,
    study: StudyInstanceUID,
    change: (
      state: StudyState & { readonly study: NonNullable<StudyState['study']> },
      write: Ulid,
    ) => StudyChange | undefined,
  ): Promise<void> {
    const { catalog, index, browse, runtime } = this.#parts;
    for (let attempt = 0; ; attempt++) {
      const state = await catalog.state(partition, study);
      if (state.study === undefined) return;
      const changed = change({ ...state, study: state.study }, newUlid());
      if (changed === undefined) return;
      const all = [changed.study, ...changed.series];
      await index.insert(all.flatMap(({ rows }) => [...rows]));
      const other = changed.series.filter(({ isOther }) => isOther);
      if (!changed.study.isOther && other.length === 0) return;
      const revision = state.guard.revision + 1;
      const record = { ...changed.study.record, revision };
      const added = all.flatMap((one) => [...one.added]);
      const removed = all.flatMap((one) => [...one.removed]);
      const plan = {
        ...{ study: record, added, removed },
        series: new Map(other.map((one) => [one.record.series, one.record])),
      };
      const outcome = await catalog.commit(partition, study, state, plan, []);
      if (outcome.committed) {
        await index.remove(removed);
        await browse.refresh(partition, record, undefined);
        return;
      }
      await index.remove(added);
      await backOff(runtime, attempt);
    }
  }
}

const studiesAtOnce = 8;

/** The index rows of an instance; what is for those above it goes to `best`, what cannot be indexed to `errors`. */
function judgeInstance(
  partition: Partition,
  { record }: InstanceRow,
  dataSet: DataSet,
  wanted: readonly QueryTag[],
  best: BestValues,
  errors: TagError[],
): readonly IndexRow[] {
  const { study, series, instance, sequence } = record;
  const tagged: Record<Tag, Element> = {};
  best.enter(series);
  for (const tag of wanted) {
    const judged = judgeTag(dataSet, tag);
    if (judged.kind === 'refused') {
      const uids = { study, series, instance };
      errors.push({ tag: tag.tag, partition, uids, sequence, reason: judged.reason });
    } else if (judged.kind === 'value') {
      if (tag.level === 'instance') tagged[tag.tag] = judged.element;
      else best.offer(tag.level, series, tag.tag, [sequence, judged.element]);
    }
  }
  return taggedIndexRows(partition, record, tagged, { version: 0, tags: wanted });
}

function unchanged<Of extends Record_>(record: Of): Changed<Of> {
  return { record, rows: [], added: [], removed: [], isOther: false };
}

/** A record with the values of the wanted tags that it does not have yet; whatever else it has stays. */
function addValues<Of extends Record_>(
  owner: Parameters<typeof rowsOf>[0] & { readonly level: 'study' | 'series' },
  record: Of,
  wanted: readonly QueryTag[],
  valueOf: (tag: Tag) => Element | undefined,
  write: Ulid,
): Changed<Of> {
  const set = { version: 0, tags: wanted };
  const attributes: Record<Tag, Element> = { ...record.attributes };
  const known: Record<string, Indexes[string]> = {};
  const ofTags: Record<Tag, Element> = {};
  for (const { tag } of tagsOf(set, owner.level)) {
    const indexed = record.indexes[tag];
    if (indexed !== undefined) known[tag] = indexed;
    const isKept = levelAttributes[owner.level].includes(tag);
    const value = isKept || indexed !== undefined ? undefined : valueOf(tag);
    if (value !== undefined) attributes[tag] = value;
    const element = attributes[tag];
    if (element !== undefined) ofTags[tag] = element;
  }
  const { indexes, added, removed } = changeIndexes(owner, ofTags, known, write, set);
  return {
    record: { ...record, attributes, indexes: { ...record.indexes, ...indexes } },
    // Also those that are known: whoever put them there may have died before he had.
    rows: rowsOf(owner, indexes),
    added,
    removed,
    isOther: added.length + removed.length > 0,
  };
}

/** A record without the values of a tag. */
function strip<Of extends Record_>(
  record: Of,
  level: 'study' | 'series',
  tag: QueryTag,
): Changed<Of> {
  const isOther = tag.level === level && record.indexes[tag.tag] !== undefined;
  if (!isOther) return unchanged(record);
  const isKept = levelAttributes[level].includes(tag.tag);
  return {
    ...unchanged(record),
    record: {
      ...record,
      indexes: without(record.indexes, tag.tag),
      ...(!isKept && { attributes: without(record.attributes, tag.tag) }),
    },
    isOther,
  };
}
