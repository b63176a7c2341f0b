/** Finds studies: by their UID, by an index, or by walking the study list. */
import { attribute } from '../../../dicom/attribute.js';
import { parseUid, type StudyInstanceUID } from '../../../dicom/uid.js';
import type { StudyRecord } from '../../../storage/archive/records.js';
import { invertUlid } from '../../../storage/archive/ulid.js';
import { studyElement } from './computed.js';
import type { Predicate } from '../match/demand.js';
import { isAhead, type WalkStart } from './place.js';
import { namedKey, selectWalk } from './select-walk.js';
import { studyReader } from './studies-of-hits.js';
import { inRounds, isConfirmed, type SearchContext, type Step } from './walk.js';

export interface StudyMatch {
  readonly study: StudyRecord;
}

const studyInstanceUid = attribute('StudyInstanceUID');

/** Whether a study meets the keys of its level. */
export function studyPasses(predicates: readonly Predicate[], study: StudyRecord): boolean {
  return predicates.every(
    ({ key, matches }) => key.level !== 'study' || matches((tag) => studyElement(study, tag)),
  );
}

/** The values of StudyInstanceUID that a search names. */
export function studyUidsSought(predicates: readonly Predicate[]): readonly string[] | undefined {
  const narrowing = predicates.find(({ key }) => key.tag === studyInstanceUid)?.narrowing;
  return narrowing?.kind === 'values' ? narrowing.values : undefined;
}

/**
 * The studies that match: newest first; in the order of their values, dates from the latest on,
 * where a range of an index is walked.
 *
 * @param wanted - how many matches are likely to be asked for.
 * @param start - the key of a step of an earlier walk.
 */
export async function* findStudies(
  context: SearchContext,
  predicates: readonly Predicate[],
  wanted: number,
  start: WalkStart,
): AsyncGenerator<Step<StudyMatch>, void, undefined> {
  const uids = studyUidsSought(predicates);
  if (uids !== undefined) {
    yield* studiesByUid(context, predicates, uids, start);
    return;
  }
  const selected = await selectWalk(context, predicates, wanted, start);
  if (selected === undefined) {
    yield* browseStudies(context, predicates, wanted, start);
    return;
  }
  const { chosen, hits } = selected;
  const read = studyReader(context, chosen);
  const steps = inRounds(hits, wanted, context.effort, async (round) => {
    const studies = await read(round);
    return round.map((hit, position): StudyMatch | undefined => {
      const study = studies[position];
      if (study === undefined || !isConfirmed(chosen, hit, study)) return undefined;
      return studyPasses(predicates, study) ? { study } : undefined;
    });
  });
  for await (const { key, ...step } of steps) yield { ...step, key: namedKey(selected, key) };
}

function keyOf({ created, study }: StudyRecord): string {
  return `${invertUlid(created)}|${study}`;
}

async function* studiesByUid(
  { services, partition, effort }: SearchContext,
  predicates: readonly Predicate[],
  uids: readonly string[],
  start: WalkStart,
): AsyncGenerator<Step<StudyMatch>, void, undefined> {
  const valid = uids
    .map((uid) => parseUid<StudyInstanceUID>(uid))
    .filter((uid) => uid !== undefined);
  effort.onLookups(valid.length);
  const rows = await Promise.all(
    valid.map(async (uid) => await services.archive.catalog.study(partition, uid)),
  );
  const found = rows
    .filter((study) => study !== undefined)
    .filter((study) => studyPasses(predicates, study) && isAhead(start, keyOf(study)))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const [position, study] of found.entries()) {
    yield { match: { study }, key: keyOf(study), last: position === found.length - 1 };
  }
}

/** Rows of the study list that are read at once when most will not match. */
const filteredPageRows = 1000;

/**
 * The studies that match, by walking the study list.
 *
 * @param isWanted - what else is asked of a study.
 */
export async function* browseStudies(
  { services, partition, signal, effort }: SearchContext,
  predicates: readonly Predicate[],
  wanted: number,
  start: WalkStart,
  isWanted?: (match: StudyMatch) => boolean,
): AsyncGenerator<Step<StudyMatch>, void, undefined> {
  const { browse, catalog } = services.archive;
  const rows = browse.walk(partition, {
    firstPageRows:
      predicates.length === 0 && isWanted === undefined ? wanted + 1 : filteredPageRows,
    onPage: effort.onPage,
    signal,
    ...start,
  });
  try {
    let next = await rows.next();
    while (next.done !== true) {
      const { record, unsure, rowKey } = next.value;
      const study = unsure ? await browse.confirm(catalog, partition, next.value) : record;
      next = await rows.next();
      const last = next.done === true;
      const passes =
        study !== undefined && studyPasses(predicates, study) && isWanted?.({ study }) !== false;
      if (passes) yield { match: { study }, key: rowKey, last };
      else if (effort.spent) yield { key: rowKey, last };
    }
  } finally {
    await rows.return();
  }
}
