/** What a result shows of a match (PS3.18 §10.6.3.3, tables 10.6.3-3 to 10.6.3-5). */
import { attribute } from '../../dicom/attribute.js';
import { vrOf } from '../../dicom/dictionary.js';
import type { DataSet, Element } from '../../dicom/data-set.js';
import type { Tag } from '../../dicom/tag.js';
import { seriesAttributes, studyAttributes } from '../../storage/archive/attributes.js';
import type { RequestContext } from '../route.js';
import type { InstanceMatch } from './find-instances.js';
import type { SeriesMatch } from './find-series.js';
import type { StudyMatch } from './find-studies.js';
import { instanceElement, seriesElement, studyElement } from './computed.js';
import { newestDataSet } from './newest-data-set.js';
import type { Search, SearchRoute } from './parse-search.js';

export type Match = StudyMatch | SeriesMatch | InstanceMatch;

/** Which attributes every result of a search shows. */
export interface Shown {
  readonly defaults: readonly Tag[];
  /** Asked for by name, as key or includefield. */
  readonly asked: readonly Tag[];
}

const uidTags = {
  study: attribute('StudyInstanceUID'),
  series: attribute('SeriesInstanceUID'),
} as const;

/** The attributes that every result of a search on a route shows. */
export function shownBy(
  { profile: { search: policy } }: Pick<RequestContext, 'profile'>,
  search: Search,
  { level, levels }: SearchRoute,
): Shown {
  const table = search.include === 'all' ? policy.all : policy.defaults;
  const uids = [
    ...(level !== 'study' ? [uidTags.study] : []),
    ...(level === 'instance' ? [uidTags.series] : []),
  ];
  return {
    defaults: levels.flatMap((one) => table[one]),
    asked: [...uids, ...search.keys, ...(search.include === 'all' ? [] : search.include)],
  };
}

/** An attribute of a match: its own, or that of the series or study above it. */
export function elementOf(match: Match, tag: Tag, baseUrl: string): Element | undefined {
  if ('instance' in match) {
    const own = instanceElement(match.instance, tag, baseUrl) ?? match.dataSet[tag];
    if (own !== undefined) return own;
  }
  if ('series' in match) {
    const own = seriesElement(match.series, tag, baseUrl);
    if (own !== undefined) return own;
  }
  return studyElement(match.study, tag, baseUrl);
}

const inRows: ReadonlySet<Tag> = new Set([...studyAttributes, ...seriesAttributes]);

/** Attributes that the rows above instances do not keep come from an instance. */
async function dataSetBehind(context: RequestContext, match: Match): Promise<DataSet> {
  if ('instance' in match) return match.dataSet;
  const { study, newest } = match.study;
  if (!('series' in match)) return await newestDataSet(context, { study, ...newest }, true);
  const { series, newest: instance } = match.series;
  return await newestDataSet(context, { study, series, instance });
}

function isEmpty({ Value: values, InlineBinary, BulkDataURI }: Element): boolean {
  return (values?.length ?? 0) === 0 && InlineBinary === undefined && BulkDataURI === undefined;
}

/** One result. */
export async function project(
  context: RequestContext,
  match: Match,
  { defaults, asked }: Shown,
): Promise<DataSet> {
  const { baseUrl, profile } = context;
  const result: Record<Tag, Element> = {};
  const elsewhere: Tag[] = [];
  for (const tag of new Set([...defaults, ...asked])) {
    const element = elementOf(match, tag, baseUrl);
    if (element !== undefined) result[tag] = element;
    else if (asked.includes(tag) && !inRows.has(tag)) elsewhere.push(tag);
  }
  if (elsewhere.length > 0) {
    const dataSet = await dataSetBehind(context, match);
    for (const tag of elsewhere) {
      const element = dataSet[tag];
      if (element !== undefined) result[tag] = element;
    }
  }
  return profile.search.emptyAttributes === 'omitted'
    ? withoutEmpty(result)
    : withEmpty(result, [...defaults, ...asked]);
}

function withoutEmpty(result: DataSet): DataSet {
  const kept: Record<Tag, Element> = {};
  for (const [tag, element] of Object.entries(result) as [Tag, Element][]) {
    if (!isEmpty(element)) kept[tag] = element;
  }
  return kept;
}

function withEmpty(result: DataSet, tags: readonly Tag[]): DataSet {
  const filled: Record<Tag, Element> = { ...result };
  for (const tag of tags) filled[tag] ??= { vr: vrOf(tag) ?? 'UN' };
  return filled;
}
