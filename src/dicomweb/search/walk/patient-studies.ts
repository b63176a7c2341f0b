/** The studies of one patient, and what they come to. */
import { attribute } from '../../../dicom/attribute.js';
import type { Element } from '../../../dicom/data-set.js';
import { comparedValues, normaliseText } from '../../../dicom/normalise.js';
import type { Tag } from '../../../dicom/tag.js';
import type { StudyRecord } from '../../../storage/archive/records.js';
import type { Predicate } from '../match/demand.js';
import { Effort } from './effort.js';
import { findStudies } from './find-studies.js';
import type { SearchContext } from './walk.js';

/** Studies of one patient that are counted at most. */
export const mostPatientStudies = 1000;

const patientId = attribute('PatientID');

/** The PatientID of a study, as it is compared. */
export function patientIdOf({ attributes }: Pick<StudyRecord, 'attributes'>): string | undefined {
  return comparedValues(attributes[patientId], 'significant')[0];
}

/** Whether a study is one of a patient; an id is no pattern. */
function isOf(id: string): Predicate {
  return {
    key: { tag: patientId, within: [], level: 'study', vr: 'LO', inDataSet: false },
    matches: (elementOf) => comparedValues(elementOf(patientId), 'significant').includes(id),
    narrowing: { kind: 'values', values: [normaliseText(id)] },
  };
}

export interface PatientStudies {
  /** The newest first. */
  readonly studies: readonly StudyRecord[];
  /** Whether these are all. */
  readonly isWhole: boolean;
}

/** The studies of a patient, up to `mostPatientStudies`. */
export async function studiesOfPatient(
  context: Omit<SearchContext, 'effort'>,
  id: string,
): Promise<PatientStudies> {
  const effort = new Effort();
  const found: StudyRecord[] = [];
  const steps = findStudies({ ...context, effort }, [isOf(id)], mostPatientStudies, {});
  for await (const { match, last } of steps) {
    if (match !== undefined) {
      effort.onMatch();
      found.push(match.study);
    }
    if (!last && (found.length === mostPatientStudies || effort.spent)) {
      return { studies: found, isWhole: false };
    }
  }
  return { studies: found, isWhole: true };
}

const counts: ReadonlyMap<Tag, (studies: readonly StudyRecord[]) => number> = new Map([
  [attribute('NumberOfPatientRelatedStudies'), (studies) => studies.length],
  [
    attribute('NumberOfPatientRelatedSeries'),
    (studies) => studies.reduce((sum, { series }) => sum + series, 0),
  ],
  [
    attribute('NumberOfPatientRelatedInstances'),
    (studies) => studies.reduce((sum, { instances }) => sum + instances, 0),
  ],
]);

/** The attributes that count what a patient has (PS3.4 §C.3.4). */
export const patientCounts = [...counts.keys()];

/** An attribute that counts what a patient has; `undefined` for any other, and where not all are known. */
export function patientCount(tag: Tag, { studies, isWhole }: PatientStudies): Element | undefined {
  const value = isWhole ? counts.get(tag)?.(studies) : undefined;
  return value === undefined ? undefined : { vr: 'IS', Value: [value] };
}
