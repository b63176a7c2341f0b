/** What a result shows of a match (PS3.18 §10.6.3.3, tables 10.6.3-3 to 10.6.3-5). */
import { attribute } from '../../../dicom/attribute.js';
import { vrOf } from '../../../dicom/dictionary.js';
import type { DataSet, Element } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import { creatorOf, isPrivate } from '../../../dicom/tag.js';
import { seriesAttributes, studyAttributes } from '../../../storage/archive/index/attributes.js';
import type { RequestContext } from '../../route.js';
import { elementOf, type Match } from '../walk/match.js';
import { newestDataSet } from '../walk/newest-data-set.js';
import { transferSyntaxesOf } from '../walk/transfer-syntaxes.js';
import type { Search, SearchRoute } from '../parse-search.js';
import type { SearchPolicy } from '../search-policy.js';
import {
  patientCount,
  patientCounts,
  patientIdOf,
  studiesOfPatient,
} from '../walk/patient-studies.js';
import { otherStudyAttributes } from './study-level.js';

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

/** Rows that were written before do not have it: an instance is asked. */
const keptLately: ReadonlySet<Tag> = new Set([attribute('OtherPatientIDs')]);
const inRows: ReadonlySet<Tag> = new Set(
  [...studyAttributes, ...seriesAttributes].filter((tag) => !keptLately.has(tag)),
);

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

/** Whether a result may show an attribute that the rows above instances do not keep. */
function isShown(match: Match, tag: Tag, { attributesBelowStudies }: SearchPolicy): boolean {
  return (
    'series' in match ||
    attributesBelowStudies === 'shown' ||
    isPrivate(tag) ||
    otherStudyAttributes.has(tag)
  );
}

/** Adds what the patient of a study has, where that is asked for. */
async function addPatientCounts(
  context: RequestContext,
  result: Record<Tag, Element>,
  { study }: Match,
  asked: readonly Tag[],
): Promise<void> {
  const wanted = patientCounts.filter((tag) => asked.includes(tag));
  const id = wanted.length > 0 ? patientIdOf(study) : undefined;
  if (id === undefined) return;
  const studies = await studiesOfPatient(context, id);
  for (const tag of wanted) {
    const count = patientCount(tag, studies);
    if (count !== undefined) result[tag] = count;
  }
}

const availableTransferSyntaxUid = attribute('AvailableTransferSyntaxUID');

/** One result. */
export async function project(
  context: RequestContext,
  match: Match,
  { defaults, asked }: Shown,
): Promise<DataSet> {
  const policy = context.profile.search;
  const result: Record<Tag, Element> = {};
  const elsewhere: Tag[] = [];
  const shown = new Set(defaults);
  for (const tag of new Set([...defaults, ...asked])) {
    const element =
      elementOf(match, tag, context.baseUrl) ??
      (tag === availableTransferSyntaxUid ? await transferSyntaxesOf(context, match) : undefined);
    if (element !== undefined) result[tag] = element;
    else if (!asked.includes(tag)) continue;
    else if (inRows.has(tag)) shown.add(tag);
    else if (isShown(match, tag, policy)) {
      shown.add(tag);
      elsewhere.push(tag);
    }
  }
  await addPatientCounts(context, result, match, asked);
  const isPrivateAsked = policy.privateCreators === 'shown' && asked.some(isPrivate);
  if (elsewhere.length > 0 || isPrivateAsked) {
    const dataSet = await dataSetBehind(context, match);
    for (const tag of elsewhere) {
      const element = dataSet[tag];
      if (element !== undefined) result[tag] = element;
    }
    if (isPrivateAsked) addCreators(result, dataSet);
  }
  const whole =
    policy.emptyAttributes === 'omitted' ? withoutEmpty(result) : withEmpty(result, shown);
  return policy.characterSet === 'utf-8' ? inUtf8(whole) : whole;
}

/** Adds to private attributes those that name their creators. */
function addCreators(result: Record<Tag, Element>, dataSet: DataSet): void {
  for (const tag of Object.keys(result) as Tag[]) {
    const creator = creatorOf(tag);
    const element = creator && dataSet[creator];
    if (creator !== undefined && element !== undefined) result[creator] = element;
  }
}

const characterSet = attribute('SpecificCharacterSet');
const utf8: Element = { vr: 'CS', Value: ['ISO_IR 192'] };

/** A data set that says of itself, and of its items, that its text is in UTF-8 (PS3.18 §F.2). */
function inUtf8(dataSet: DataSet): DataSet {
  const entries = (Object.entries(dataSet) as [Tag, Element][]).map(([tag, element]) => {
    if (tag === characterSet) return [tag, utf8];
    if (element.vr !== 'SQ' || element.Value === undefined) return [tag, element];
    const items = element.Value as readonly DataSet[];
    return [tag, { ...element, Value: items.map(inUtf8) }];
  });
  return Object.fromEntries(entries) as DataSet;
}

function withoutEmpty(result: DataSet): DataSet {
  const kept: Record<Tag, Element> = {};
  for (const [tag, element] of Object.entries(result) as [Tag, Element][]) {
    if (!isEmpty(element)) kept[tag] = element;
  }
  return kept;
}

function withEmpty(result: DataSet, tags: Iterable<Tag>): DataSet {
  const filled: Record<Tag, Element> = { ...result };
  for (const tag of tags) filled[tag] ??= { vr: vrOf(tag) ?? 'UN' };
  return filled;
}
