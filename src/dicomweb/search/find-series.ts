/** Finds series: within a study, by an index, or through the studies that match. */
import type { SeriesInstanceUID, StudyInstanceUID } from '../../dicom/uid.js';
import type { SeriesRecord, StudyRecord } from '../../storage/archive/records.js';
import { invertUlid } from '../../storage/archive/ulid.js';
import { chooseIndex, reportedValue, type ChosenIndex } from './choose-index.js';
import { seriesElement } from './computed.js';
import { findStudies, studyPasses, studyUidsSought, type StudyMatch } from './find-studies.js';
import type { Predicate } from './matching.js';
import { isAhead, startOf, type Place } from './place.js';
import { newestDataSet } from './newest-data-set.js';
import { inRounds, walkIndex, type SearchContext, type Step } from './walk.js';

export interface SeriesMatch extends StudyMatch {
  readonly series: SeriesRecord;
}

/** The study or series within which a search takes place. */
export interface Scope {
  readonly study?: StudyInstanceUID;
  readonly series?: SeriesInstanceUID;
}

/** A step of a search through levels: its place has a key for each. */
export interface PlacedStep<Match> extends Omit<Step<Match>, 'key'> {
  readonly place: Place;
}

/** Whether a series meets the keys of its level. */
async function seriesPasses(
  context: SearchContext,
  predicates: readonly Predicate[],
  series: SeriesRecord,
): Promise<boolean> {
  const own = predicates.filter(({ key }) => key.level === 'series');
  const byRow = own.filter(({ key }) => !key.inDataSet);
  if (!byRow.every(({ matches }) => matches((tag) => seriesElement(series, tag)))) return false;
  const byDataSet = own.filter(({ key }) => key.inDataSet);
  if (byDataSet.length === 0) return true;
  context.effort.onEntry();
  const dataSet = await newestDataSet(context, {
    study: series.study,
    series: series.series,
    instance: series.newest,
  });
  return byDataSet.every(({ matches }) => matches((tag) => dataSet[tag]));
}

/** Whether the index of a lower level narrows the search more than anything about studies. */
export function isBetterThanStudies(predicates: readonly Predicate[], lower: ChosenIndex): boolean {
  // A UID of a series or instance is as good as that of its study, and finds less.
  if (studyUidsSought(predicates) !== undefined) return lower.rank <= 1;
  const study = chooseIndex(predicates, 'study');
  return study === undefined || lower.rank <= study.rank;
}

/**
 * The series that match; within a study the newest first.
 *
 * @param after - with the key of an instance: the series of the place comes once more.
 */
export async function* findSeries(
  context: SearchContext,
  predicates: readonly Predicate[],
  scope: Scope,
  wanted: number,
  after: Place,
): AsyncGenerator<PlacedStep<SeriesMatch>, void, undefined> {
  const { services, partition, effort } = context;
  const { catalog } = services.archive;
  if (scope.study !== undefined) {
    yield* seriesOfStudy(context, predicates, scope.study, scope.series, after);
    return;
  }
  const chosen = chooseIndex(predicates, 'series');
  if (chosen !== undefined && isBetterThanStudies(predicates, chosen)) {
    const { tag } = chosen.attribute;
    const hits = walkIndex(
      context,
      chosen,
      wanted + 1,
      startOf(after.outer, after.instance !== undefined),
    );
    const steps = inRounds(hits, wanted, effort, async (hit): Promise<SeriesMatch | undefined> => {
      const uid = hit.uids.series;
      if (uid === undefined) return undefined;
      const [study, series] = await Promise.all([
        catalog.study(partition, hit.uids.study),
        catalog.series(partition, hit.uids.study, uid),
      ]);
      if (study === undefined || series?.created !== hit.created) return undefined;
      if (series.indexes[tag]?.[hit.value] !== hit.write) return undefined;
      if (reportedValue(chosen, series.indexes) !== hit.value) return undefined;
      const pass =
        studyPasses(predicates, study) && (await seriesPasses(context, predicates, series));
      return pass ? { study, series } : undefined;
    });
    for await (const { key, ...step } of steps) yield { ...step, place: { outer: key } };
    return;
  }
  yield* throughStudies(context, predicates, wanted, after);
}

/** The series of one study after another. */
async function* throughStudies(
  context: SearchContext,
  predicates: readonly Predicate[],
  wanted: number,
  after: Place,
): AsyncGenerator<PlacedStep<SeriesMatch>, void, undefined> {
  const start = startOf(after.outer, after.series !== undefined);
  for await (const { match, key, last } of findStudies(context, predicates, wanted, start)) {
    if (match !== undefined) {
      const steps = seriesOfStudy(context, predicates, match.study.study, undefined, after);
      for await (const step of steps) {
        yield { ...step, place: { outer: key, ...step.place }, last: step.last && last };
      }
    }
    if (context.effort.spent) yield { place: { outer: key }, last };
  }
}

/**
 * Newest first; series that were made by one write by their UIDs. Keys name their study: a place is
 * none in another.
 */
function keyOf({ study, created, series }: SeriesRecord): string {
  return `${study}|${invertUlid(created)}|${series}`;
}

async function* seriesOfStudy(
  context: SearchContext,
  predicates: readonly Predicate[],
  uid: StudyInstanceUID,
  only: SeriesInstanceUID | undefined,
  after: Place,
): AsyncGenerator<PlacedStep<SeriesMatch>, void, undefined> {
  const { services, partition, effort } = context;
  effort.onEntry();
  const state = await services.archive.catalog.state(partition, uid);
  const study: StudyRecord | undefined = state.study?.record;
  if (study === undefined || !studyPasses(predicates, study)) return;
  const isEntered = after.series?.startsWith(`${uid}|`) === true;
  const start = isEntered ? startOf(after.series, after.instance !== undefined) : {};
  const series = [...state.series.values()]
    .map(({ record }) => record)
    .filter((record) => only === undefined || record.series === only)
    .filter((record) => isAhead(start, keyOf(record)))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const [position, record] of series.entries()) {
    const last = position === series.length - 1;
    const place = { series: keyOf(record) };
    if (await seriesPasses(context, predicates, record)) {
      yield { match: { study, series: record }, place, last };
    } else if (effort.spent) yield { place, last };
  }
}
