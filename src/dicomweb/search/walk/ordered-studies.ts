/** Studies in the order of an attribute, walked in its index: any page costs what the first does. */
import { indexedAttributes } from '../../../storage/archive/index/attributes.js';
import type { SoughtValues } from '../../../storage/archive/index/search-index.js';
import { hasOrder } from '../../../storage/archive/index/word-index.js';
import type { ChosenIndex } from './choose-index.js';
import { browseStudies, studyPasses, type StudyMatch } from './find-studies.js';
import type { Predicate } from '../match/demand.js';
import type { WalkStart } from './place.js';
import { isAgainstIndex, type Ordering } from './sort-keys.js';
import { studyReader } from './studies-of-hits.js';
import { inRounds, isConfirmed, walkIndex, type SearchContext, type Step } from './walk.js';

const everything: SoughtValues = { kind: 'interval', from: undefined, to: undefined };

/** The index that delivers studies in the order of an attribute, if there is one. */
export function indexInOrder(
  ordering: Pick<Ordering, 'tag' | 'descending'>,
): ChosenIndex | undefined {
  const attribute = indexedAttributes.find(
    ({ level, tag }) => level === 'study' && tag === ordering.tag,
  );
  if (attribute === undefined) return undefined;
  // Each index can be walked in its own order; against it where there are rows for that.
  const isAgainst = isAgainstIndex(ordering);
  if (isAgainst && !hasOrder('study', ordering.tag)) return undefined;
  const sought = isAgainst ? ({ kind: 'reverse' } as const) : everything;
  return { attribute, sought: [sought], rank: attribute.rank };
}

const [withValue, withoutValue] = ['v>', 'w>'];

function startIn(part: string, { after }: WalkStart): WalkStart | undefined {
  return after?.startsWith(part) === true ? { after: after.slice(part.length) } : undefined;
}

/** The studies that match: those with a value in its order, then those without one, newest first. */
export async function* orderedStudies(
  context: SearchContext,
  predicates: readonly Predicate[],
  index: ChosenIndex,
  wanted: number,
  start: WalkStart,
): AsyncGenerator<Step<StudyMatch>, void, undefined> {
  const { tag } = index.attribute;
  const behind = startIn(withoutValue, start);
  if (behind === undefined) {
    const from = startIn(withValue, start) ?? {};
    const read = studyReader(context, index);
    const hits = walkIndex(context, index, wanted, from);
    const steps = inRounds(hits, wanted, context.effort, async (round) => {
      const studies = await read(round);
      return round.map((hit, position): StudyMatch | undefined => {
        const study = studies[position];
        if (study === undefined || !isConfirmed(index, hit, study)) return undefined;
        return studyPasses(predicates, study) ? { study } : undefined;
      });
    });
    // What has no value may follow.
    for await (const { key, ...step } of steps) {
      yield { ...step, key: withValue + key, last: false };
    }
  }
  const lacks = (match: StudyMatch) => match.study.indexes[tag] === undefined;
  for await (const { key, match, last } of browseStudies(
    context,
    predicates,
    wanted,
    behind ?? {},
    lacks,
  )) {
    yield { key: withoutValue + key, last, ...(match !== undefined && { match }) };
  }
}
