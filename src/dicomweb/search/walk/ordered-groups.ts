/**
 * Studies in the order of several attributes. The index of the first is walked; those that are alike in it
 * are put in order by the others, so that only they have to be read at once. Any page costs what the first does.
 */
import { invalidParameter } from '../../../http/query-string.js';
import { chunksOfSize } from '../../../group-by.js';
import { firstKeyAgainst } from '../../../storage/archive/index/search-index.js';
import { tableLimits } from '../../../storage/table-store.js';
import type { Predicate } from '../match/demand.js';
import type { ChosenIndex } from './choose-index.js';
import { browseStudies, studyPasses, type StudyMatch } from './find-studies.js';
import {
  comparePlaces,
  orderedPlaceOf,
  readOrderedPlace,
  spellOrderedPlace,
  type OrderedPlace,
} from './ordered-place.js';
import type { WalkStart } from './place.js';
import { isAgainstIndex, mostOrdered, type Ordering } from './sort-keys.js';
import { studyReader, type ReadStudies } from './studies-of-hits.js';
import { isConfirmed, walkIndex, type OrderedHit, type SearchContext, type Step } from './walk.js';

/** Studies that are read together. */
const atOnce = 256;

type Steps = AsyncGenerator<Step<StudyMatch>, void, undefined>;

/** Keys of steps: behind a place, behind a row of the index, or behind a copy in the study list. */
const [behindHit, behindCopy] = ['v>', 'w>'];

function startIn(part: string, after: string | undefined): WalkStart | undefined {
  return after?.startsWith(part) === true ? { after: after.slice(part.length) } : undefined;
}

/** Where the studies begin that are alike in the first attribute of a place. */
function startOfAlike(key: string, ordering: Ordering): WalkStart {
  return { at: isAgainstIndex(ordering) ? firstKeyAgainst(ordering.tag, key) : key };
}

interface Sorting {
  readonly context: SearchContext;
  readonly predicates: readonly Predicate[];
  readonly index: ChosenIndex;
  readonly ordering: Ordering;
  /** What has been shown; `undefined` for nothing. */
  readonly passed: OrderedPlace | undefined;
}

/**
 * The studies that match, in the order of several attributes. Those that lack the first come last: in the
 * order of the others as far as one request finds them all, else newest first.
 *
 * @param index - of the first attribute, in its order.
 * @param start - the key of a step of an earlier walk.
 * @throws ServiceError `invalid-query` where too many are alike in the first attribute.
 */
export async function* studiesByGroups(
  context: SearchContext,
  predicates: readonly Predicate[],
  index: ChosenIndex,
  ordering: Ordering,
  wanted: number,
  { after }: Pick<WalkStart, 'after'>,
): Steps {
  const passed = after === undefined ? undefined : readOrderedPlace({ outer: after });
  const sorting = { context, predicates, index, ordering, passed };
  const behind = startIn(behindCopy, after);
  const [first] = passed?.keys ?? [];
  if (behind === undefined && (passed === undefined || first !== undefined)) {
    const start = first === undefined ? startIn(behindHit, after) : startOfAlike(first, ordering);
    const pageRows = Math.min(Math.max(wanted * 2, atOnce), tableLimits.pageRows);
    yield* withValue(sorting, pageRows, start ?? {});
  }
  yield* withoutValue(sorting, wanted, behind);
}

function inOrder(
  { ordering, passed }: Sorting,
  matches: readonly StudyMatch[],
): readonly { readonly match: StudyMatch; readonly place: OrderedPlace }[] {
  return matches
    .map((match) => ({ match, place: orderedPlaceOf(match, ordering) }))
    .filter(({ place }) => passed === undefined || comparePlaces(place, passed, ordering) > 0)
    .sort((a, b) => comparePlaces(a.place, b.place, ordering));
}

async function* withValue(sorting: Sorting, pageRows: number, start: WalkStart): Steps {
  const { context, index } = sorting;
  const read = studyReader(context, index);
  let alike: OrderedHit[] = [];
  for await (const hit of walkIndex(context, index, pageRows, start)) {
    if (alike.length > 0 && alike[0]?.values[0] !== hit.values[0]) {
      yield* ofAlike(sorting, alike, read);
      alike = [];
    }
    alike.push(hit);
    if (alike.length > mostOrdered) {
      throw invalidParameter(
        'orderby',
        `More than ${mostOrdered} studies that are alike in its first attribute cannot be ordered; narrow the search.`,
      );
    }
  }
  yield* ofAlike(sorting, alike, read);
}

async function* ofAlike(sorting: Sorting, alike: readonly OrderedHit[], read: ReadStudies): Steps {
  const { context, index, predicates } = sorting;
  const matches: StudyMatch[] = [];
  for (const hits of chunksOfSize(alike, atOnce)) {
    for (const [position, study] of (await read(hits)).entries()) {
      const hit = hits[position];
      const isThere = study !== undefined && hit !== undefined && isConfirmed(index, hit, study);
      if (isThere && studyPasses(predicates, study)) matches.push({ study });
    }
  }
  // What matches is no effort in vain, whether this page has room for it or a later one.
  context.effort.onLookups(alike.length - matches.length);
  for (const { match, place } of inOrder(sorting, matches)) {
    yield { match, key: spellOrderedPlace(place, 'walk'), last: false };
  }
  const last = alike.at(-1);
  if (last !== undefined && context.effort.spent) yield { key: behindHit + last.key, last: false };
}

async function* withoutValue(
  sorting: Sorting,
  wanted: number,
  behind: WalkStart | undefined,
): Steps {
  const { context, index, predicates, passed } = sorting;
  const lacks = ({ study }: StudyMatch) => study.indexes[index.attribute.tag] === undefined;
  const steps = browseStudies(context, predicates, wanted, behind ?? {}, lacks);
  const held: Step<StudyMatch>[] = [];
  let isWhole = behind === undefined;
  for await (const step of steps) {
    held.push(step);
    if (isWhole && !context.effort.spent && held.length <= mostOrdered) continue;
    isWhole = false;
    for (const { key, ...others } of held.splice(0)) {
      const isShown = passed?.keys[0] !== undefined || passed === undefined || key > passed.made;
      if (isShown) yield { ...others, key: behindCopy + key };
    }
  }
  const matches = held.flatMap(({ match }) => match ?? []);
  const sorted = inOrder(sorting, matches);
  for (const [position, { match, place }] of sorted.entries()) {
    yield { match, key: spellOrderedPlace(place, 'walk'), last: position === sorted.length - 1 };
  }
}
