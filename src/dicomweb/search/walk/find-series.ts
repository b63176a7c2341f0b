/** Finds series: within a study, by an index, or through the studies that match. */
import type { SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import type { SeriesRecord, StudyRecord } from '../../../storage/archive/records.js';
import { invertUlid } from '../../../storage/archive/ulid.js';
import { groupBy } from '../../../group-by.js';
import { chooseIndex, type ChosenIndex } from './choose-index.js';
import { seriesElement } from './computed.js';
import { findStudies, studyPasses, studyUidsSought, type StudyMatch } from './find-studies.js';
import type { Predicate } from '../match/demand.js';
import { isAhead, startOf, type Place } from './place.js';
import { newestDataSet } from './newest-data-set.js';
import {
  inRounds,
  isConfirmed,
  walkIndex,
  type OrderedHit,
  type SearchContext,
  type Step,
} from './walk.js';

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
  const { effort } = context;
  if (scope.study !== undefined) {
    yield* seriesOfStudy(context, predicates, scope.study, scope.series, after);
    return;
  }
  const chosen = chooseIndex(predicates, 'series');
  if (chosen !== undefined && isBetterThanStudies(predicates, chosen)) {
    const start = startOf(after.outer, after.instance !== undefined);
    const hits = walkIndex(context, chosen, wanted, start);
    const steps = inRounds(hits, wanted, effort, async (round) => {
      const above = await seriesOfHits(context, round);
      return await Promise.all(
        round.map(async (hit, position) => {
          const match = above[position];
          if (match === undefined || !isConfirmed(chosen, hit, match.series)) return undefined;
          const pass =
            studyPasses(predicates, match.study) &&
            (await seriesPasses(context, predicates, match.series));
          return pass ? match : undefined;
        }),
      );
    });
    for await (const { key, ...step } of steps) yield { ...step, place: { outer: key } };
    return;
  }
  yield* throughStudies(context, predicates, wanted, after);
}

/** The series that each hit is about or in, with their studies: one call per study. */
export async function seriesOfHits(
  { services, partition }: SearchContext,
  hits: readonly OrderedHit[],
): Promise<readonly (SeriesMatch | undefined)[]> {
  const { catalog } = services.archive;
  const ofStudies = new Map(
    [...groupBy(hits, ({ uids }) => uids.study)].map(([uid, group]) => {
      const wanted = group.map(({ uids }) => uids.series).filter((series) => series !== undefined);
      return [uid, catalog.withSeries(partition, uid, new Set(wanted))] as const;
    }),
  );
  return await Promise.all(
    hits.map(async ({ uids }): Promise<SeriesMatch | undefined> => {
      const rows = await ofStudies.get(uids.study);
      const series = uids.series && rows?.series.get(uids.series);
      return rows?.study === undefined || series === undefined
        ? undefined
        : { study: rows.study, series };
    }),
  );
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
