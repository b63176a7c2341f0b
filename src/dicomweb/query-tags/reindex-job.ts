/**
 * Adding query tags as a job: first a cut in the log, behind which every store indexes them; then every study that
 * is there, newest first. What is done twice has the same effect; counts are part of the state.
 */
import type { Tag } from '../../dicom/tag.js';
import type { EnsureHeld, JobKind, Slice } from '../../jobs/jobs.js';
import { allOf } from '../../storage/archive/all-of.js';
import type { Archive } from '../../storage/archive/archive.js';
import type { BrowsedStudy } from '../../storage/archive/index/browse-index.js';
import type { Partition } from '../../storage/archive/keys.js';
import type { ListedTag, TagList } from '../../storage/archive/query-tag-list.js';
import { TagErrors } from '../../storage/archive/tagging/tag-errors.js';
import type { IndexedStudy, StudyPlace } from '../../storage/archive/tagging/tag-indexer.js';
import { chunksOfSize } from '../../group-by.js';
import type { PartitionRegistry } from '../../storage/partition-registry.js';

/** How far it has come. */
export interface ReindexState {
  /** Those that were asked for. */
  readonly tags: readonly Tag[];
  /** The version of the list of tags that the slice before this began with. */
  readonly seen: number;
  /** Slices that were done. */
  readonly slices: number;
  /** The number of the data partition that is walked; 0 before the cut. */
  readonly partition: number;
  /** The key of the last study of it that is done with. */
  readonly after?: string;
  /** A large study, and how far in it. */
  readonly place?: StudyPlace;
  /** Studies that are done with, and that there were at the cut, as far as they were counted. */
  readonly done: number;
  readonly total: number;
  /** Values that cannot be indexed. */
  readonly errors: Readonly<Record<Tag, number>>;
}

/** The state of an indexing of which nothing has been done. */
export function beforeReindex(tags: readonly Tag[]): ReindexState {
  return { tags, seen: 0, slices: 0, partition: 0, done: 0, total: 0, errors: {} };
}

/** A slice ends after so many instances, or studies. */
const sliceInstances = 1000;
const sliceStudies = 64;
/** A study that is larger is done in several slices, and alone. */
const largeStudy = 5000;
const studiesAtOnce = 8;
/** Pages of the study list that are counted at most, for what clients are told of the progress. */
const countedPages = 200;

/** Whole percents of the studies; `undefined` before the cut. */
export function percentOf({ partition, done, total }: ReindexState): number | undefined {
  if (partition === 0) return undefined;
  return total === 0 ? 0 : Math.min(99, Math.floor((done * 100) / total));
}

/** The studies that come next, and whether nothing follows them. */
async function nextStudies(
  archive: Archive,
  partition: Partition,
  after: string | undefined,
): Promise<{ readonly copies: readonly BrowsedStudy[]; readonly isLast: boolean }> {
  const copies: BrowsedStudy[] = [];
  const paging = { firstPageRows: sliceStudies, ...(after !== undefined && { after }) };
  for await (const copy of archive.browse.walk(partition, paging)) {
    copies.push(copy);
    if (copies.length === sliceStudies) return { copies, isLast: false };
  }
  return { copies, isLast: true };
}

/** As many as one slice takes; a large one by itself. */
function firstOf(copies: readonly BrowsedStudy[]): readonly BrowsedStudy[] {
  let instances = 0;
  const some: BrowsedStudy[] = [];
  for (const copy of copies) {
    const isLarge = copy.record.instances > largeStudy;
    if (some.length > 0 && (isLarge || instances >= sliceInstances)) break;
    some.push(copy);
    instances += copy.record.instances;
    if (isLarge) break;
  }
  return some;
}

/** The kind of job that indexes what is stored for tags that were added. */
export function reindexKind(
  archive: Archive,
  partitions: Pick<PartitionRegistry, 'list'>,
  now: () => number = Date.now,
): JobKind {
  const tagErrors = new TagErrors(archive.tables);

  async function countStudies(): Promise<number> {
    let pages = 0;
    let studies = 0;
    for (const { name } of await partitions.list()) {
      for await (const { marks } of archive.browse.marks(name, {})) {
        studies += marks.length;
        pages += 1;
        if (pages >= countedPages) return studies;
      }
    }
    return studies;
  }

  async function begin(
    { tags }: ReindexState,
    list: TagList,
    wanted: readonly ListedTag[],
  ): Promise<ReindexState> {
    for (const { tag } of wanted) await tagErrors.clear(tag);
    await archive.tagIndexer.cut(list.version);
    return { ...beforeReindex(tags), partition: 1, total: await countStudies() };
  }

  /** Notes what cannot be indexed; searches stop using the tag until somebody has seen that. */
  async function note(
    state: ReindexState,
    outcomes: readonly IndexedStudy[],
  ): Promise<ReindexState['errors']> {
    const found = outcomes.flatMap(({ errors }) => [...errors]);
    if (found.length === 0) return state.errors;
    const met = await tagErrors.put(found, state.slices, now());
    const errors: Record<Tag, number> = { ...state.errors };
    for (const [tag, count] of met) errors[tag] = (errors[tag] ?? 0) + count;
    await archive.queryTags.change(({ tags }) =>
      tags.map((one) =>
        met.has(one.tag) ? { ...one, errors: errors[one.tag] ?? 0, enabled: false } : one,
      ),
    );
    return errors;
  }

  async function walk(
    state: ReindexState,
    wanted: readonly ListedTag[],
    ensureHeld: EnsureHeld,
  ): Promise<ReindexState | undefined> {
    const { place, ...whole } = state;
    if (place !== undefined) {
      const outcome = await archive.tagIndexer.index(place, wanted, largeStudy);
      const errors = await note(state, [outcome]);
      return outcome.rest === undefined
        ? { ...whole, errors, done: state.done + 1 }
        : { ...state, errors, place: outcome.rest };
    }
    const [partition] = (await partitions.list()).filter(({ key }) => key >= state.partition);
    if (partition === undefined) return undefined;
    const { copies, isLast } = await nextStudies(archive, partition.name, state.after);
    const some = firstOf(copies);
    const outcomes: IndexedStudy[] = [];
    for (const chunk of chunksOfSize(some, studiesAtOnce)) {
      ensureHeld();
      const indexing = chunk.map(async ({ record: { study, created } }) => {
        const at = { partition: partition.name, study, created };
        const most = some.length === 1 ? largeStudy : Number.POSITIVE_INFINITY;
        return await archive.tagIndexer.index(at, wanted, most);
      });
      await allOf(indexing);
      outcomes.push(...(await Promise.all(indexing)));
    }
    const errors = await note(state, outcomes);
    const rest = outcomes.find((outcome) => outcome.rest !== undefined)?.rest;
    const after = some.at(-1)?.rowKey ?? state.after;
    const isThrough = isLast && some.length === copies.length;
    const { tags, seen, slices, total } = state;
    const isNext = isThrough && rest === undefined;
    return {
      ...{ tags, seen, slices, total, errors },
      done: state.done + some.length - (rest === undefined ? 0 : 1),
      partition: partition.key + (isNext ? 1 : 0),
      ...(after !== undefined && !isNext && { after }),
      ...(rest !== undefined && { place: rest }),
    };
  }

  /** From now on searches may use the tags. */
  async function finish(id: string): Promise<void> {
    await archive.queryTags.change(({ tags }) =>
      tags.map(({ operation, ...tag }) =>
        operation === id && tag.status === 'adding'
          ? { ...tag, status: 'ready' }
          : { ...tag, ...(operation !== undefined && { operation }) },
      ),
    );
  }

  return {
    async slice(_input, stateText, id, _failures, ensureHeld): Promise<Slice> {
      const state = JSON.parse(stateText) as ReindexState;
      const list = await archive.queryTags.read();
      const wanted = list.tags.filter(
        ({ operation, status }) => operation === id && status === 'adding',
      );
      const over = { ...state, seen: list.version };
      if (wanted.length === 0) return { state: JSON.stringify(over), end: 'succeeded' };
      const next =
        state.partition === 0
          ? await begin(state, list, wanted)
          : await walk(state, wanted, ensureHeld);
      if (next === undefined) {
        await finish(id);
        return { state: JSON.stringify(over), end: 'succeeded' };
      }
      const done = { ...next, seen: list.version, slices: state.slices + 1 };
      return { state: JSON.stringify(done) };
    },
  };
}
