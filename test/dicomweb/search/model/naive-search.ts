/**
 * The search as the conformance statement has it: a scan of all stored data sets, replayed in the order
 * of their commits.
 */
import type { DataSet, Element } from '../../../../src/dicom/data-set.js';
import type { InstanceUids } from '../../../../src/dicom/uid.js';
import { modelAttributes } from './attributes.js';
import { checkKeys, matchesAll, trim, type NaiveKey, type Rules } from './naive-matching.js';

/** One commit, as the change feed has it. */
export interface Change {
  readonly uids: InstanceUids;
  /** Absent when the instance was deleted. */
  readonly dataSet?: DataSet;
  /** Of the file; its data set does not tell. */
  readonly transferSyntax?: string;
  /** Which round of deeds it was part of: those of one round have no order of their own. */
  readonly round: number;
}

type Elements = Record<string, Element | undefined>;

/** The elements of a data set by their tags. */
export function elementsOf(dataSet: DataSet): Readonly<Elements> {
  return dataSet;
}

/** The values of an element that are texts or numbers. */
export function textsIn(element: Element | undefined): string[] {
  return (element?.Value ?? []).filter((value) => typeof value !== 'object').map(String);
}

/** The first of them; empty without one. */
export function textIn(element: Element | undefined): string {
  return textsIn(element)[0] ?? '';
}

interface NaiveSeries {
  readonly uid: string;
  readonly attributes: Elements;
  newest: string;
  readonly instances: Map<string, DataSet>;
}

export interface NaiveStudy {
  readonly uid: string;
  /** Round of the change that made it. */
  readonly made: number;
  /** Position of the change that touched it last. */
  touched: number;
  readonly attributes: Elements;
  readonly series: Map<string, NaiveSeries>;
}

export interface NaiveQuery {
  readonly level: 'study' | 'series' | 'instance';
  readonly study?: string;
  readonly series?: string;
  readonly keys: readonly NaiveKey[];
  readonly rules: Rules;
}

export interface NaiveResult {
  readonly study: NaiveStudy;
  /** UIDs, and what is computed for the level. */
  readonly facts: Readonly<Record<string, unknown>>;
}

const hasValue = (element: Element | undefined) => (element?.Value?.length ?? 0) > 0;

function learn(attributes: Elements, dataSet: DataSet, level: 'study' | 'series'): void {
  for (const { tag } of modelAttributes.filter((one) => one.level === level)) {
    const element = (dataSet as Elements)[tag];
    if (hasValue(element)) attributes[tag] = element;
  }
}

/** What is there after all changes. */
export function replay(changes: readonly Change[]): readonly NaiveStudy[] {
  const studies = new Map<string, NaiveStudy>();
  for (const [position, { uids, dataSet, transferSyntax, round }] of changes.entries()) {
    const study: NaiveStudy = studies.get(uids.study) ?? {
      uid: uids.study,
      made: round,
      touched: position,
      attributes: {},
      series: new Map(),
    };
    const series = study.series.get(uids.series) ?? {
      uid: uids.series,
      attributes: {},
      newest: '',
      instances: new Map<string, DataSet>(),
    };
    study.touched = position;
    if (dataSet === undefined) {
      series.instances.delete(uids.instance);
      if (series.instances.size === 0) study.series.delete(uids.series);
      if (study.series.size === 0) studies.delete(uids.study);
      continue;
    }
    learn(study.attributes, dataSet, 'study');
    learn(series.attributes, dataSet, 'series');
    series.newest = uids.instance;
    const syntax = { '00083002': { vr: 'UI', Value: [transferSyntax ?? ''] } };
    series.instances.set(uids.instance, { ...dataSet, ...syntax });
    study.series.set(uids.series, series);
    studies.set(uids.study, study);
  }
  return [...studies.values()].sort((a, b) => b.made - a.made);
}

function modalitiesOf({ series }: NaiveStudy): string[] {
  const told: readonly Elements[] = [...series.values()].flatMap(({ attributes, instances }) => [
    attributes,
    ...instances.values(),
  ]);
  const all = told.flatMap((dataSet) => dataSet['00080060']?.Value ?? []);
  return [...new Set(all.map(String))].sort();
}

/** What the instances of some series have of an attribute, in order. */
function valuesIn(series: Iterable<NaiveSeries>, tag: string): string[] {
  const all = [...series].flatMap(({ instances }) => [...instances.values()]);
  const values = all.flatMap((dataSet) => elementsOf(dataSet)[tag]?.Value ?? []);
  return [...new Set(values.map(String))].sort();
}

/** The attributes that every level lists, of what is in something. */
function eachLevel(series: Iterable<NaiveSeries>): Elements {
  const all = [...series];
  return Object.fromEntries(
    keysOfEachLevel.map((tag) => [tag, { vr: 'UI', Value: valuesIn(all, tag) }]),
  );
}

const keysOfEachLevel = ['00080016', '00083002'];

function factsOfEach(series: Iterable<NaiveSeries>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(eachLevel(series)).map(([tag, one]) => [tag, textsIn(one).join()]),
  );
}

function factsOfStudy(study: NaiveStudy): Record<string, unknown> {
  const instances = [...study.series.values()].map((series) => series.instances.size);
  const { '00080016': classes, ...syntaxes } = factsOfEach(study.series.values());
  return {
    ...syntaxes,
    '00080062': classes,
    '0020000D': study.uid,
    '00080061': modalitiesOf(study).join(),
    '00201206': study.series.size,
    '00201208': instances.reduce((sum, count) => sum + count, 0),
    '00100020': study.attributes['00100020']?.Value?.[0],
  };
}

const levelOf = new Map(modelAttributes.map(({ tag, level }) => [tag, level] as const));
for (const tag of keysOfEachLevel) levelOf.set(tag, 'each');
levelOf.set('00080061', 'study');
levelOf.set('00201208', 'study');
levelOf.set('0020000D', 'study');
levelOf.set('0020000E', 'series');
levelOf.set('00080018', 'instance');

const ranks = { study: 0, series: 1, instance: 2 } as const;

/**
 * All results, the newest studies first.
 *
 * @throws Refused for a query that the statement calls 400.
 */
export function naiveSearch(
  studies: readonly NaiveStudy[],
  { level, study: onlyStudy, series: onlySeries, keys, rules }: NaiveQuery,
): readonly NaiveResult[] {
  checkKeys(keys, rules);
  const lowest = onlySeries !== undefined ? 2 : onlyStudy !== undefined ? 1 : 0;
  // Keys whose level the route does not have look at the data set of what is sought.
  const placeOf = (key: NaiveKey) => {
    const listed = levelOf.get(key.path[0] ?? '') ?? 'none';
    if (listed === 'each') return level;
    const isRow = listed !== 'none' && ranks[listed] >= lowest && ranks[listed] <= ranks[level];
    return isRow ? listed : `any ${level}`;
  };
  const at = (place: string) => keys.filter((key) => placeOf(key) === place);
  const results: NaiveResult[] = [];
  for (const study of studies) {
    if (onlyStudy !== undefined && study.uid !== onlyStudy) continue;
    const row = {
      ...study.attributes,
      ...eachLevel(study.series.values()),
      '0020000D': { vr: 'UI', Value: [study.uid] },
      '00080061': { vr: 'CS', Value: modalitiesOf(study) },
      '00201208': { vr: 'IS', Value: [factsOfStudy(study)['00201208']] },
    } as DataSet;
    if (!matchesAll(at('study'), row, rules)) continue;
    if (level === 'study') results.push({ study, facts: factsOfStudy(study) });
    else {
      for (const series of study.series.values()) {
        if (onlySeries !== undefined && series.uid !== onlySeries) continue;
        const seriesRow = {
          ...series.attributes,
          ...eachLevel([series]),
          '0020000E': { vr: 'UI', Value: [series.uid] },
        } as DataSet;
        if (!matchesAll(at('series'), seriesRow, rules)) continue;
        const uids = { '0020000D': study.uid, '0020000E': series.uid };
        if (level === 'series') {
          const first = [...series.instances.keys()].sort()[0] ?? '';
          const speaker = series.instances.get(series.newest) ?? series.instances.get(first) ?? {};
          if (!matchesAll(at('any series'), speaker, rules)) continue;
          const facts = { ...uids, ...factsOfEach([series]), '00201209': series.instances.size };
          results.push({ study, facts });
          continue;
        }
        for (const [uid, dataSet] of series.instances) {
          const wanted = [...at('instance'), ...at('any instance')];
          if (!matchesAll(wanted, dataSet, rules)) continue;
          const own = Object.fromEntries(
            [...keysOfEachLevel, '00200013'].map((tag) => [
              tag,
              elementsOf(dataSet)[tag]?.Value?.[0],
            ]),
          );
          results.push({ study, facts: { ...uids, ...own, '00080018': uid } });
        }
      }
    }
  }
  return results;
}

/** What a search for patients says of one. */
export interface NaivePatient {
  readonly id: string;
  /** How many studies, series and instances it has. */
  readonly counts: readonly number[];
  /** Of the study made last; several where one round made several. */
  readonly names: readonly string[];
}

function idOf({ attributes }: NaiveStudy): string | undefined {
  const [id] = textsIn(attributes['00100020']);
  return id === undefined ? undefined : trim(id);
}

/** What is shown of a name. */
export function nameIn(element: Element | undefined): string {
  return JSON.stringify(element?.Value?.[0] ?? '');
}

/**
 * The patients of whom any study matches.
 *
 * @throws Refused for a query that the statement calls 400.
 */
export function naivePatients(
  studies: readonly NaiveStudy[],
  query: Pick<NaiveQuery, 'keys' | 'rules'>,
): readonly NaivePatient[] {
  const found = naiveSearch(studies, { ...query, level: 'study' });
  const ids = new Set(found.map(({ study }) => idOf(study)).filter((id) => id !== undefined));
  return [...ids].map((id) => {
    const own = studies.filter((study) => idOf(study) === id);
    const series = own.flatMap((study) => [...study.series.values()]);
    const instances = series.reduce((sum, one) => sum + one.instances.size, 0);
    const latest = Math.max(...own.map(({ made }) => made));
    const names = own
      .filter(({ made }) => made === latest)
      .map(({ attributes }) => nameIn(attributes['00100010']));
    return { id, counts: [own.length, series.length, instances], names };
  });
}
