/**
 * Finds what a search matches: chooses the most selective index, walks it, and lets the rows of the
 * catalog decide. Nothing is returned that the catalog does not have.
 */
import { attribute } from '../../dicom/attribute.js';
import type { DataSet, Element } from '../../dicom/data-set.js';
import type { Tag } from '../../dicom/tag.js';
import type { SeriesInstanceUID, StudyInstanceUID } from '../../dicom/uid.js';
import { parseUid } from '../../dicom/uid.js';
import { indexedAttributes, type IndexedAttribute } from '../../storage/archive/attributes.js';
import type { InstanceRow } from '../../storage/archive/catalog.js';
import type { IndexRowKey, Level } from '../../storage/archive/keys.js';
import type {
  Indexes,
  InstanceRecord,
  SeriesRecord,
  StudyRecord,
} from '../../storage/archive/records.js';
import type { SoughtValues } from '../../storage/archive/search-index.js';
import { flatten } from '../read-ahead.js';
import type { RequestContext } from '../route.js';
import { seriesElement, studyElement } from './computed.js';
import type { Narrowing, Predicate } from './matching.js';

export interface StudyMatch {
  readonly study: StudyRecord;
}

export interface SeriesMatch extends StudyMatch {
  readonly series: SeriesRecord;
}

export interface InstanceMatch extends SeriesMatch {
  readonly instance: InstanceRecord;
  readonly dataSet: DataSet;
}

/** A search at one level, perhaps within a study or series. */
export interface Scope {
  readonly study?: StudyInstanceUID;
  readonly series?: SeriesInstanceUID;
}

type Context = Pick<RequestContext, 'services' | 'partition' | 'signal'>;

const studyInstanceUid = attribute('StudyInstanceUID');

// ---- the predicates of a level ---------------------------------------------------------------

function passes(
  predicates: readonly Predicate[],
  level: Level,
  elementOf: (tag: Tag) => Element | undefined,
): boolean {
  return predicates.every(({ key, matches }) => key.level !== level || matches(elementOf(key.tag)));
}

function studyPasses(predicates: readonly Predicate[], study: StudyRecord): boolean {
  return passes(predicates, 'study', (tag) => studyElement(study, tag));
}

function seriesPasses(predicates: readonly Predicate[], series: SeriesRecord): boolean {
  return passes(predicates, 'series', (tag) => seriesElement(series, tag));
}

// ---- the choice of an index ------------------------------------------------------------------

interface ChosenIndex {
  readonly attribute: IndexedAttribute;
  readonly narrowing: Narrowing;
}

const narrowingRank = { values: 0, prefix: 1, interval: 2 } as const;

/** The most selective index that any predicate of the level can use. */
function chooseIndex(predicates: readonly Predicate[], level: Level): ChosenIndex | undefined {
  const usable = predicates.flatMap(({ key, narrowing }) => {
    const found = indexedAttributes.find(
      (indexed) => indexed.level === level && indexed.tag === key.tag,
    );
    return found === undefined || narrowing === undefined ? [] : [{ attribute: found, narrowing }];
  });
  const rank = ({ attribute: { rank: base }, narrowing }: ChosenIndex) =>
    base + narrowingRank[narrowing.kind];
  return usable.sort((a, b) => rank(a) - rank(b))[0];
}

function soughtIn(narrowing: Narrowing): readonly SoughtValues[] {
  if (narrowing.kind !== 'values') return [narrowing];
  return narrowing.values.map((value) => ({ kind: 'value', value }));
}

/** Walks the index rows; those of several values are merged, newest first. */
async function* hits(
  { services, partition, signal }: Context,
  { attribute: { level, tag }, narrowing }: ChosenIndex,
  pageRows: number,
): AsyncGenerator<IndexRowKey, void, undefined> {
  const { index } = services.archive;
  const walks = soughtIn(narrowing).map((sought) =>
    index.walk(partition, { level, tag }, sought, pageRows, signal),
  );
  const seen = new Set<string>();
  for await (const hit of newestFirst(walks)) {
    const { study, series = '', instance = '' } = hit.uids;
    const id = `${study}|${series}|${instance}|${hit.write}`;
    if (seen.has(id)) continue;
    seen.add(id);
    yield hit;
  }
}

async function* newestFirst(
  walks: readonly AsyncGenerator<IndexRowKey>[],
): AsyncGenerator<IndexRowKey, void, undefined> {
  const heads = await Promise.all(walks.map(async (walk) => ({ walk, next: await walk.next() })));
  for (;;) {
    const open = heads.filter(({ next }) => next.done !== true);
    const created = ({ next }: (typeof heads)[number]) =>
      next.done === true ? '' : next.value.created;
    const [newest] = open.sort((a, b) => (created(a) < created(b) ? 1 : -1));
    if (newest === undefined || newest.next.done === true) return;
    yield newest.next.value;
    newest.next = await newest.walk.next();
  }
}

const mostAtOnce = 100;

/**
 * Turns hits into matches, as many at a time as are still wanted, so that a page costs one round of
 * parallel reads and no more reads than results.
 */
async function* inRounds<Hit, Match>(
  source: AsyncGenerator<Hit, void, undefined>,
  wanted: number,
  read: (hit: Hit) => Promise<Match | undefined>,
): AsyncGenerator<Match, void, undefined> {
  let left = wanted;
  try {
    for (;;) {
      const round: Hit[] = [];
      while (round.length < Math.min(Math.max(left, 1), mostAtOnce)) {
        const next = await source.next();
        if (next.done === true) break;
        round.push(next.value);
      }
      if (round.length === 0) return;
      for (const match of await Promise.all(round.map(read))) {
        if (match === undefined) continue;
        left--;
        yield match;
      }
    }
  } finally {
    await source.return();
  }
}

/** Whether the row that a hit came from is still true. */
function isCurrent(
  hit: IndexRowKey,
  tag: Tag,
  record: { created: string; indexes: Indexes },
): boolean {
  return record.created === hit.created && record.indexes[tag]?.[hit.value] === hit.write;
}

// ---- studies ---------------------------------------------------------------------------------

/**
 * The studies that match, newest first; in the order of their values where a range of an index is
 * walked.
 *
 * @param wanted - how many matches are likely to be asked for.
 */
export async function* findStudies(
  context: Context,
  predicates: readonly Predicate[],
  wanted: number,
): AsyncGenerator<StudyMatch, void, undefined> {
  const { services, partition } = context;
  const { catalog } = services.archive;
  const byUid = predicates.find(({ key }) => key.tag === studyInstanceUid)?.narrowing;
  if (byUid?.kind === 'values') {
    const uids = byUid.values.map((uid) => parseUid<StudyInstanceUID>(uid));
    const studies = await Promise.all(
      uids.map(async (uid) =>
        uid === undefined ? undefined : await catalog.study(partition, uid),
      ),
    );
    const found = studies.filter((study) => study !== undefined);
    found.sort((a, b) => (a.created < b.created ? 1 : -1));
    for (const study of found) if (studyPasses(predicates, study)) yield { study };
    return;
  }
  const chosen = chooseIndex(predicates, 'study');
  if (chosen === undefined) {
    yield* browseStudies(context, predicates, wanted);
    return;
  }
  yield* inRounds(hits(context, chosen, wanted), wanted, async (hit) => {
    const study = await catalog.study(partition, hit.uids.study);
    if (study === undefined || !isCurrent(hit, chosen.attribute.tag, study)) return undefined;
    return studyPasses(predicates, study) ? { study } : undefined;
  });
}

async function* browseStudies(
  { services, partition, signal }: Context,
  predicates: readonly Predicate[],
  wanted: number,
): AsyncGenerator<StudyMatch, void, undefined> {
  const { browse, catalog } = services.archive;
  const pageRows = predicates.length === 0 ? wanted + 1 : 1000;
  for await (const { record, unsure } of browse.walk(partition, pageRows, signal)) {
    if (!studyPasses(predicates, record)) continue;
    if (!unsure) yield { study: record };
    else {
      const study = await catalog.study(partition, record.study);
      const isSame = study?.created === record.created;
      if (study !== undefined && isSame && studyPasses(predicates, study)) yield { study };
    }
  }
}

// ---- series ----------------------------------------------------------------------------------

/** The series that match, within a study or anywhere. */
export async function* findSeries(
  context: Context,
  predicates: readonly Predicate[],
  { study }: Scope,
  wanted: number,
): AsyncGenerator<SeriesMatch, void, undefined> {
  const { services, partition } = context;
  const { catalog } = services.archive;
  if (study !== undefined) {
    yield* seriesOfStudy(context, predicates, study);
    return;
  }
  const chosen = chooseIndex(predicates, 'series');
  if (chosen !== undefined && !studyFirst(predicates, chosen)) {
    yield* inRounds(hits(context, chosen, wanted), wanted, async (hit) => {
      const uid = hit.uids.series;
      if (uid === undefined) return undefined;
      const [above, series] = await Promise.all([
        catalog.study(partition, hit.uids.study),
        catalog.series(partition, hit.uids.study, uid),
      ]);
      if (above === undefined || series === undefined) return undefined;
      if (!isCurrent(hit, chosen.attribute.tag, series)) return undefined;
      const pass = studyPasses(predicates, above) && seriesPasses(predicates, series);
      return pass ? { study: above, series } : undefined;
    });
    return;
  }
  for await (const match of findStudies(context, predicates, wanted)) {
    yield* seriesOfStudy(context, predicates, match.study.study);
  }
}

/** Whether a study-level predicate narrows the search more than the index of a lower level. */
function studyFirst(predicates: readonly Predicate[], lower: ChosenIndex): boolean {
  if (predicates.some(({ key }) => key.tag === studyInstanceUid)) return true;
  const study = chooseIndex(predicates, 'study');
  return study !== undefined && study.attribute.rank < lower.attribute.rank;
}

async function* seriesOfStudy(
  { services, partition }: Context,
  predicates: readonly Predicate[],
  study: StudyInstanceUID,
): AsyncGenerator<SeriesMatch, void, undefined> {
  const state = await services.archive.catalog.state(partition, study);
  const above = state.study?.record;
  if (above === undefined || !studyPasses(predicates, above)) return;
  const series = [...state.series.values()].map(({ record }) => record);
  series.sort((a, b) =>
    a.created === b.created ? (a.series < b.series ? -1 : 1) : a.created < b.created ? 1 : -1,
  );
  for (const record of series) {
    if (seriesPasses(predicates, record)) yield { study: above, series: record };
  }
}

// ---- instances -------------------------------------------------------------------------------

/** The instances that match, within a series, a study or anywhere. */
export async function* findInstances(
  context: Context,
  predicates: readonly Predicate[],
  scope: Scope,
  wanted: number,
): AsyncGenerator<InstanceMatch, void, undefined> {
  const { services, partition } = context;
  const { catalog } = services.archive;
  const chosen = scope.study === undefined ? chooseIndex(predicates, 'instance') : undefined;
  if (chosen !== undefined) {
    yield* inRounds(hits(context, chosen, wanted), wanted, async (hit) => {
      const { study, series, instance } = hit.uids;
      if (series === undefined || instance === undefined) return undefined;
      const [studyRow, seriesRow, row] = await Promise.all([
        catalog.study(partition, study),
        catalog.series(partition, study, series),
        catalog.instance(partition, { study, series, instance }),
      ]);
      if (studyRow === undefined || seriesRow === undefined) return undefined;
      if (row === undefined || row.record.version !== hit.write) return undefined;
      const match = await readInstance(context, { study: studyRow, series: seriesRow }, row);
      return instancePasses(predicates, match) ? match : undefined;
    });
    return;
  }
  for await (const above of seriesAbove(context, predicates, scope, wanted)) {
    const pages = services.archive.instancesWithMetadata(
      partition,
      above.study.study,
      above.series.series,
    );
    for await (const row of flatten(pages)) {
      const match = await readInstance(context, above, row);
      if (instancePasses(predicates, match)) yield match;
    }
  }
}

async function* seriesAbove(
  context: Context,
  predicates: readonly Predicate[],
  scope: Scope,
  wanted: number,
): AsyncGenerator<SeriesMatch, void, undefined> {
  for await (const match of findSeries(context, predicates, scope, wanted)) {
    if (scope.series === undefined || match.series.series === scope.series) yield match;
  }
}

async function readInstance(
  { services, partition }: Context,
  above: SeriesMatch,
  row: InstanceRow,
): Promise<InstanceMatch> {
  const text = await services.archive.metadataText(partition, row);
  return { ...above, instance: row.record, dataSet: JSON.parse(text) as DataSet };
}

function instancePasses(predicates: readonly Predicate[], match: InstanceMatch): boolean {
  return (
    studyPasses(predicates, match.study) &&
    seriesPasses(predicates, match.series) &&
    passes(predicates, 'instance', (tag) => match.dataSet[tag])
  );
}
