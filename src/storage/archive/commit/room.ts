/**
 * Whether the rows above the instances have room for what a plan wants to count and to index. Modalities, SOP
 * classes and indexed values are few, unless someone makes them many.
 */
import { stateCharacters, type StudyRecord } from '../records.js';
import type { CatalogPlan, StudyState } from '../study-state.js';
import { modalityIn } from '../tallies.js';
import type { NewInstance } from './catalog-plan.js';

/** A property of a row holds 32 Ki characters; some are left for what only grows by digits. */
const mostStateCharacters = 30_000;

/** Whether the rows that a plan writes hold what they are to. */
export function hasRoom({ study, series }: CatalogPlan): boolean {
  return [study, ...series.values()].every(
    (record) => record === undefined || stateCharacters(record) <= mostStateCharacters,
  );
}

/** How many different values the row of a study counts and indexes. */
export function distinctValues(study: StudyRecord | undefined): number {
  if (study === undefined) return 0;
  const { modalities, sopClasses, indexes } = study;
  return [modalities, sopClasses, ...Object.values(indexes)].reduce(
    (sum, values) => sum + Object.keys(values).length,
    0,
  );
}

/**
 * Whether the row of the study certainly counts one value more with an instance: it takes no plan to see
 * that for a new series, where nothing goes that was counted before.
 */
export function bringsNewValue({ study, series }: StudyState, instance: NewInstance): boolean {
  if (study === undefined || series.has(instance.record.series)) return false;
  const { modalities, sopClasses } = study.record;
  const modality = modalityIn(instance.dataSet);
  return (
    !Object.hasOwn(sopClasses, instance.record.sopClass) ||
    (modality !== '' && !Object.hasOwn(modalities, modality))
  );
}
