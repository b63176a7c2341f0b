/** Finds instances: within a series or study, by an index, or through the series that match. */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import type { SeriesInstanceUID, SOPInstanceUID } from '../../../dicom/uid.js';
import type { InstancePaging, InstanceRow } from '../../../storage/archive/catalog.js';
import type { InstanceRecord } from '../../../storage/archive/records.js';
import { flatten } from '../../read-ahead.js';
import { isOfVersion } from '../../../storage/archive/index/confirmation.js';
import { elementAt } from '../../../storage/archive/index/query-tags.js';
import { chooseIndex } from './choose-index.js';
import {
  findSeries,
  isBetterThanStudies,
  seriesOfHits,
  type PlacedStep,
  type Scope,
  type SeriesMatch,
} from './find-series.js';
import { studyPasses } from './find-studies.js';
import { instanceElement, seriesElement } from './computed.js';
import type { Predicate } from '../match/demand.js';
import { mostOrdered, sortKeyOf } from './sort-keys.js';
import { startOf, type Place } from './place.js';
import { inRounds, walkIndex, type OrderedHit, type SearchContext } from './walk.js';

export interface InstanceMatch extends SeriesMatch {
  readonly instance: InstanceRecord;
  readonly dataSet: DataSet;
}

async function readInstance(
  { services, partition }: SearchContext,
  above: SeriesMatch,
  row: InstanceRow,
): Promise<InstanceMatch> {
  const text = await services.archive.files.metadataText(partition, row);
  return { ...above, instance: row.record, dataSet: JSON.parse(text) as DataSet };
}

function instancePasses(
  predicates: readonly Predicate[],
  { instance, dataSet }: InstanceMatch,
): boolean {
  const element = (tag: Tag) => instanceElement(instance, tag) ?? dataSet[tag];
  return predicates.every(({ key: { level, queryTag }, matches }) => {
    if (level !== 'instance') return true;
    return matches((tag) => (queryTag?.tag === tag ? elementAt(dataSet, queryTag) : element(tag)));
  });
}

/**
 * The instances that match; within a series in the order of InstanceNumber, within one of more than
 * `mostOrdered` in that of their UIDs.
 */
export async function* findInstances(
  context: SearchContext,
  predicates: readonly Predicate[],
  scope: Scope,
  wanted: number,
  after: Place,
): AsyncGenerator<PlacedStep<InstanceMatch>, void, undefined> {
  const chosen = scope.study === undefined ? chooseIndex(predicates, 'instance') : undefined;
  if (chosen === undefined || !isBetterThanStudies(predicates, chosen)) {
    yield* throughSeries(context, predicates, scope, wanted, after);
    return;
  }
  const { services, partition, effort } = context;
  const { catalog } = services.archive;
  const rowOf = async ({ uids: { study, series, instance } }: OrderedHit) =>
    series === undefined || instance === undefined
      ? undefined
      : await catalog.instance(partition, { study, series, instance });
  const read = async (hit: OrderedHit, above: SeriesMatch | undefined, row?: InstanceRow) => {
    if (above === undefined || row === undefined || !isOfVersion(row.record, hit)) return undefined;
    const pass = predicates.every(
      ({ key, matches }) =>
        key.level !== 'series' || matches((tag) => seriesElement(above.series, tag)),
    );
    if (!pass || !studyPasses(predicates, above.study)) return undefined;
    const match = await readInstance(context, above, row);
    return instancePasses(predicates, match) ? match : undefined;
  };
  const hits = walkIndex(context, chosen, wanted, startOf(after.outer, false));
  const steps = inRounds(hits, wanted, effort, async (round) => {
    const [above, rows] = await Promise.all([
      seriesOfHits(context, round),
      Promise.all(round.map(rowOf)),
    ]);
    return await Promise.all(
      round.map(async (hit, position) => await read(hit, above[position], rows[position])),
    );
  });
  for await (const { key, ...step } of steps) yield { ...step, place: { outer: key } };
}

/** The instances of one series after another. */
async function* throughSeries(
  context: SearchContext,
  predicates: readonly Predicate[],
  scope: Scope,
  wanted: number,
  after: Place,
): AsyncGenerator<PlacedStep<InstanceMatch>, void, undefined> {
  const series = findSeries(context, predicates, scope, wanted, after);
  for await (const { match, place, last } of series) {
    if (match !== undefined) {
      const steps = instancesOfSeries(context, predicates, match, wanted, after.instance);
      for await (const step of steps) {
        yield { ...step, place: { ...place, ...step.place }, last: step.last && last };
      }
    }
    if (context.effort.spent) yield { place, last };
  }
}

async function* instancesOfSeries(
  context: SearchContext,
  predicates: readonly Predicate[],
  above: SeriesMatch,
  wanted: number,
  after: string | undefined,
): AsyncGenerator<PlacedStep<InstanceMatch>, void, undefined> {
  const { series, instances } = above.series;
  const passed = placeIn(series, after);
  const isByNumber = passed === undefined ? instances <= mostOrdered : passed.kind === 'number';
  if (isByNumber) yield* byNumber(context, predicates, above, passed?.key);
  else yield* byUid(context, predicates, above, wanted, passed?.key);
}

const instanceNumber = attribute('InstanceNumber');

/** Stands before numbers in keys, and in no UID; behind every number. */
const [beforeNumber, noNumber] = ['#', '~'];

/** Keys of instances name their series: a place is none in another. */
function placeIn(
  series: SeriesInstanceUID,
  key: string | undefined,
): { readonly kind: 'number' | 'uid'; readonly key: string } | undefined {
  if (key?.startsWith(`${series}|`) !== true) return undefined;
  const own = key.slice(series.length + 1);
  return { kind: own.startsWith(beforeNumber) ? 'number' : 'uid', key: own };
}

/** The rows of the instances of a series with their data sets. */
function rowsOf(
  { services, partition, effort }: SearchContext,
  { study, series }: SeriesMatch,
  paging: Omit<InstancePaging, 'onPage'>,
): AsyncGenerator<InstanceRow, void, undefined> {
  let pages = 0;
  const onPage = () => {
    if (pages++ === 0) effort.onEntry();
    else effort.onPage();
  };
  const { archive } = services;
  return flatten(
    archive.instancesWithMetadata(partition, study.study, series.series, { ...paging, onPage }),
  );
}

/** The instances of a series in the order of InstanceNumber, then of their UIDs: all are read for that. */
async function* byNumber(
  context: SearchContext,
  predicates: readonly Predicate[],
  above: SeriesMatch,
  after = '',
): AsyncGenerator<PlacedStep<InstanceMatch>, void, undefined> {
  const found: { readonly key: string; readonly row: InstanceRow }[] = [];
  for await (const row of rowsOf(context, above, {})) {
    const match = await readInstance(context, above, row);
    const order = { tag: instanceNumber, descending: false };
    const number = sortKeyOf(match.dataSet[instanceNumber], order) ?? noNumber;
    const key = `${beforeNumber}${number}|${row.record.instance}`;
    // The rows are kept and not their data sets, which take ten times as much.
    if (key > after && instancePasses(predicates, match)) found.push({ key, row });
  }
  found.sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const [position, { key, row }] of found.entries()) {
    const match = await readInstance(context, above, row);
    const place = { instance: `${above.series.series}|${key}` };
    yield { match, place, last: position === found.length - 1 };
  }
}

/** The instances of a series in the order of their UIDs. */
async function* byUid(
  context: SearchContext,
  predicates: readonly Predicate[],
  above: SeriesMatch,
  wanted: number,
  after: string | undefined,
): AsyncGenerator<PlacedStep<InstanceMatch>, void, undefined> {
  const isFiltered = predicates.some(({ key }) => key.level === 'instance');
  const rows = rowsOf(context, above, {
    ...(!isFiltered && { firstPageRows: wanted + 1 }),
    ...(after !== undefined && { after: after as SOPInstanceUID }),
  });
  try {
    let next = await rows.next();
    while (next.done !== true) {
      const match = await readInstance(context, above, next.value);
      const place = { instance: `${above.series.series}|${match.instance.instance}` };
      next = await rows.next();
      const last = next.done === true;
      if (instancePasses(predicates, match)) yield { match, place, last };
      else if (context.effort.spent) yield { place, last };
    }
  } finally {
    await rows.return();
  }
}
