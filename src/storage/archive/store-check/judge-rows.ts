/** Whether the rows of a study agree with each other: pure arithmetic. */
import type { DataSet } from '../../../dicom/data-set.js';
import type { SeriesInstanceUID } from '../../../dicom/uid.js';
import { groupBy } from '../../../group-by.js';
import { originalRowKey } from '../keys.js';
import type { InstanceRecord, SeriesRecord, StudyRecord, Tally } from '../records.js';
import { modalitiesOf, modalityOfInstance, seriesModalities } from '../tallies.js';
import { placeOf, type Finding, type FindingKind } from './finding.js';
import type { CheckedStudy } from './checked-study.js';

function tallyOf(values: Iterable<string>): Tally {
  const groups = groupBy(values, (value) => value);
  return Object.fromEntries([...groups].map(([value, all]) => [value, all.length]));
}

function countsOf(
  instances: readonly InstanceRecord[],
): Pick<SeriesRecord, 'instances' | 'sopClasses'> {
  return {
    instances: instances.length,
    sopClasses: tallyOf(instances.map(({ sopClass }) => sopClass)),
  };
}

/**
 * What the record of a series must say of its instances.
 *
 * @param attributes of the series, whose modality instances of old have, which do not tell theirs.
 */
export function seriesCounts(
  instances: readonly InstanceRecord[],
  attributes: DataSet,
): Required<Pick<SeriesRecord, 'instances' | 'sopClasses' | 'modalities'>> {
  const modalities = instances.map((instance) => modalityOfInstance({ attributes }, instance));
  return {
    ...countsOf(instances),
    modalities: tallyOf(modalities.filter((modality) => modality !== '')),
  };
}

/** What the record of a study must say of its series, all of which have instances, and of those. */
export function studyCounts(
  series: readonly SeriesRecord[],
  instances: readonly InstanceRecord[],
): Pick<StudyRecord, 'series' | 'instances' | 'modalities' | 'sopClasses'> {
  return {
    ...countsOf(instances),
    series: series.length,
    modalities: tallyOf(series.flatMap(modalitiesOf)),
  };
}

function isSame(a: number | Tally, b: number | Tally): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => a[name] === b[name]);
}

function spell(count: number | Tally): string {
  if (typeof count === 'number') return String(count);
  return `{${Object.entries(count)
    .map(([name, value]) => `${name}: ${value}`)
    .sort()
    .join(', ')}}`;
}

/** Names those counts of a record that are not as they must be; empty when all are. */
function differences(
  record: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, number | Tally>>,
): string {
  return Object.entries(expected)
    .map(([name, count]) => ({ name, count, noted: record[name] as number | Tally | undefined }))
    .filter(({ count, noted }) => noted === undefined || !isSame(noted, count))
    .map(({ name, count, noted }) => {
      return `${name} ${noted === undefined ? 'none' : spell(noted)}, not ${spell(count)}`;
    })
    .join('; ');
}

/** Whether the counts of a series are not those of its instances. */
export function differsFrom(record: SeriesRecord, instances: readonly InstanceRecord[]): boolean {
  return seriesDifferences(record, instances) !== '';
}

function seriesDifferences(record: SeriesRecord, instances: readonly InstanceRecord[]): string {
  const noted = { ...record, modalities: seriesModalities(record) };
  return differences(noted, seriesCounts(instances, record.attributes));
}

/** What does not fit together among the rows of a study. */
export function judgeRows(rows: CheckedStudy): readonly Finding[] {
  const { partition, study, row, series, instances, originals, unreadable } = rows;
  const target = { kind: 'study', partition, study } as const;
  const finding = (kind: FindingKind, name?: string, detail = ''): Finding => {
    return { kind, where: placeOf(partition, study, name), detail, target };
  };
  if (unreadable.length > 0) {
    return unreadable.map((rowKey) => ({
      ...finding('row-unreadable', rowKey),
      target: { kind: 'none' },
    }));
  }

  const found: Finding[] = [];
  const below = bySeries(instances);
  if (row === undefined && instances.length > 0) found.push(finding('study-row-missing'));
  if (row !== undefined && instances.length === 0) found.push(finding('study-row-empty'));
  for (const uid of series.keys()) {
    if (!below.has(uid)) found.push(finding('series-row-empty', uid));
  }
  const kept = new Map(originals.map((original) => [originalRowKey(original), original.version]));
  for (const instance of instances) {
    const key = originalRowKey(instance);
    if (kept.get(key) === instance.original) kept.delete(key);
    else kept.set(key, instance.version);
  }
  for (const key of kept.keys()) {
    found.push({ ...finding('original-wrong', key), target: { kind: 'none' } });
  }
  const present: SeriesRecord[] = [];
  for (const [uid, some] of below) {
    const record = series.get(uid)?.record;
    if (record === undefined) {
      found.push(finding('series-row-missing', uid));
      continue;
    }
    present.push(record);
    const detail = seriesDifferences(record, some);
    if (detail !== '') found.push(finding('counts-wrong', uid, detail));
  }
  if (row !== undefined && instances.length > 0) {
    const expected = { ...studyCounts(present, instances), series: below.size };
    // Only the rows of all series tell their modalities.
    const { modalities, ...others } = expected;
    const isComplete = present.length === below.size;
    const detail = differences(
      { ...row.record },
      isComplete ? { ...others, modalities } : { ...others },
    );
    if (detail !== '') found.push(finding('counts-wrong', undefined, detail));
  }
  return found;
}

/** The instances of each series. */
export function bySeries<Instance extends InstanceRecord>(
  instances: readonly Instance[],
): ReadonlyMap<SeriesInstanceUID, readonly Instance[]> {
  return groupBy(instances, (instance) => instance.series);
}
