/**
 * The search as the conformance statement has it: a scan of all stored data sets, replayed in the order
 * of their commits.
 */
import type { DataSet, Element } from '../../../../src/dicom/data-set.js';
import type { InstanceUids } from '../../../../src/dicom/uid.js';
import { modelAttributes } from './attributes.js';
import { checkKeys, matchesAll, type NaiveKey, type Rules } from './naive-matching.js';

/** One commit, as the change feed has it. */
export interface Change {
  readonly uids: InstanceUids;
  /** Absent when the instance was deleted. */
  readonly dataSet?: DataSet;
  /** Which round of deeds it was part of: those of one round have no order of their own. */
  readonly round: number;
}

type Elements = Record<string, Element | undefined>;

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
  for (const [position, { uids, dataSet, round }] of changes.entries()) {
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
    series.instances.set(uids.instance, dataSet);
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

function factsOfStudy(study: NaiveStudy): Record<string, unknown> {
  const instances = [...study.series.values()].map((series) => series.instances.size);
  return {
    '0020000D': study.uid,
    '00080061': modalitiesOf(study).join(),
    '00201206': study.series.size,
    '00201208': instances.reduce((sum, count) => sum + count, 0),
    '00100020': study.attributes['00100020']?.Value?.[0],
  };
}

const levelOf = new Map(modelAttributes.map(({ tag, level }) => [tag, level] as const));
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
    const isRow = listed !== 'none' && ranks[listed] >= lowest && ranks[listed] <= ranks[level];
    return isRow ? listed : `any ${level}`;
  };
  const at = (place: string) => keys.filter((key) => placeOf(key) === place);
  const results: NaiveResult[] = [];
  for (const study of studies) {
    if (onlyStudy !== undefined && study.uid !== onlyStudy) continue;
    const row = {
      ...study.attributes,
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
          '0020000E': { vr: 'UI', Value: [series.uid] },
        } as DataSet;
        if (!matchesAll(at('series'), seriesRow, rules)) continue;
        const uids = { '0020000D': study.uid, '0020000E': series.uid };
        if (level === 'series') {
          const first = [...series.instances.keys()].sort()[0] ?? '';
          const speaker = series.instances.get(series.newest) ?? series.instances.get(first) ?? {};
          if (!matchesAll(at('any series'), speaker, rules)) continue;
          results.push({ study, facts: { ...uids, '00201209': series.instances.size } });
          continue;
        }
        for (const [uid, dataSet] of series.instances) {
          const wanted = [...at('instance'), ...at('any instance')];
          if (!matchesAll(wanted, dataSet, rules)) continue;
          results.push({ study, facts: { ...uids, '00080018': uid } });
        }
      }
    }
  }
  return results;
}
