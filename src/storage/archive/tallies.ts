/** What studies and series count of their instances: modalities and SOP classes. */
import { attribute } from '../../dicom/attribute.js';
import type { DataSet, Element } from '../../dicom/data-set.js';
import { stringOf } from '../../dicom/value.js';
import type { InstanceRecord, SeriesRecord, Tally } from './records.js';

const modalityTag = attribute('Modality');

/** One more of something, or one fewer. */
export type TallyChange = readonly [key: string, by: 1 | -1];

/** A tally may have hundreds of keys: it is copied once for all changes. */
export function count(tally: Tally, changes: readonly TallyChange[]): Tally {
  if (changes.length === 0) return tally;
  const counts = new Map(Object.entries(tally));
  for (const [key, by] of changes) {
    const after = (counts.get(key) ?? 0) + by;
    if (after > 0) counts.set(key, after);
    else counts.delete(key);
  }
  return Object.fromEntries(counts);
}

export function leaving(key: string): readonly TallyChange[] {
  return key === '' ? [] : [[key, -1]];
}

export function joining(key: string): readonly TallyChange[] {
  return key === '' ? [] : [[key, 1]];
}

/** The attribute that a tally of modalities stands for. */
export function modalitiesElement(modalities: Tally): Element {
  const Value = Object.keys(modalities).sort();
  return Value.length > 0 ? { vr: 'CS', Value } : { vr: 'CS' };
}

/** Modality, empty where none is told. */
export function modalityIn(dataSet: DataSet): string {
  return stringOf(dataSet, modalityTag) ?? '';
}

/** Instances per modality; in rows of old that do not tell them, all have that of the series. */
export function seriesModalities(series: Omit<SeriesRecord, 'newest'>): Tally {
  const modality = modalityIn(series.attributes);
  return series.modalities ?? (modality === '' ? {} : { [modality]: series.instances });
}

/** The modality of an instance; of one of old that does not tell it, that of its series. */
export function modalityOfInstance(
  { attributes }: Pick<SeriesRecord, 'attributes'>,
  { modality }: Pick<InstanceRecord, 'modality'>,
): string {
  return modality ?? modalityIn(attributes);
}

/** The modalities of a series: those of its instances, and the one that it has itself. */
export function modalitiesOf(series: SeriesRecord | undefined): readonly string[] {
  if (series === undefined) return [];
  const all = new Set([modalityIn(series.attributes), ...Object.keys(seriesModalities(series))]);
  return [...all].filter((modality) => modality !== '');
}

/** What the modalities of a study change by when a series becomes another. */
export function modalityChanges(
  before: SeriesRecord | undefined,
  after: SeriesRecord | undefined,
): readonly TallyChange[] {
  const [old, now] = [modalitiesOf(before), modalitiesOf(after)];
  return [
    ...old.filter((modality) => !now.includes(modality)).flatMap(leaving),
    ...now.filter((modality) => !old.includes(modality)).flatMap(joining),
  ];
}
