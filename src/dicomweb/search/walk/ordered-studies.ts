/** Studies in the order of an attribute, walked in its index: any page costs what the first does. */
import { vrOf } from '../../../dicom/dictionary.js';
import type { Tag } from '../../../dicom/tag.js';
import { normalisedValues } from '../../../dicom/normalise.js';
import { indexedAttributes } from '../../../storage/archive/index/attributes.js';
import { indexedValue, type SoughtValues } from '../../../storage/archive/index/search-index.js';
import { hasOrder } from '../../../storage/archive/index/word-index.js';
import type { ChosenIndex } from './choose-index.js';
import { browseStudies, studyPasses, type StudyMatch } from './find-studies.js';
import type { Element } from '../../../dicom/data-set.js';
import type { Predicate } from '../match/demand.js';
import type { WalkStart } from './place.js';
import { studyReader } from './studies-of-hits.js';
import { inRounds, isConfirmed, walkIndex, type SearchContext, type Step } from './walk.js';

/** An order other than newest first. */
export interface Ordering {
  readonly tag: Tag;
  readonly descending: boolean;
  /** What orders those that are equal, one after the other. */
  readonly then?: readonly Ordering[];
}

const everything: SoughtValues = { kind: 'interval', from: undefined, to: undefined };

/** Dates are indexed from the latest on. */
function isAgainstIndex({ tag, descending }: Ordering): boolean {
  return descending !== (vrOf(tag) === 'DA');
}

/** The index that delivers studies in an order, if there is one. */
export function indexInOrder(ordering: Ordering): ChosenIndex | undefined {
  const attribute = indexedAttributes.find(
    ({ level, tag }) => level === 'study' && tag === ordering.tag,
  );
  if (attribute === undefined || ordering.then !== undefined) return undefined;
  // Each index can be walked in its own order; against it where there are rows for that.
  const isAgainst = isAgainstIndex(ordering);
  if (isAgainst && !hasOrder('study', ordering.tag)) return undefined;
  const sought = isAgainst ? ({ kind: 'reverse' } as const) : everything;
  return { attribute, sought: [sought], rank: attribute.rank };
}

function isNumeric(element: Element | undefined): boolean {
  return element !== undefined && /^(?:IS|DS|[SU][SLV]|F[LD])$/.test(element.vr);
}

/** In keys of the index a value ends so, behind every character: the longer of two that begin alike comes first. */
const endOfIndexedValue = '|';

/** Beyond this, numbers are as good as equal. */
const mostMagnitude = 1e12;

/** A number, spelled so that texts compare as numbers do. */
function spelledNumber(text: string): string {
  const number = Number(text);
  const bounded = Math.min(Math.max(number, -mostMagnitude), mostMagnitude);
  return Number.isNaN(number) ? '' : (bounded + mostMagnitude).toFixed(4).padStart(18, '0');
}

/**
 * The value by which something is ordered, spelled so that values compare as their index has them: of
 * several the one that comes first.
 */
export function sortKeyOf(
  element: Element | undefined,
  { tag, descending }: Ordering,
): string | undefined {
  const values = normalisedValues(element)
    .map((text) => (isNumeric(element) ? spelledNumber(text) : indexedValue(tag, text)))
    .sort();
  if (isAgainstIndex({ tag, descending })) return values.at(-1);
  return values[0] && values[0] + endOfIndexedValue;
}

/** Compares keys in an order; what has none comes last. */
export function compareSortKeys(
  a: string | undefined,
  b: string | undefined,
  ordering: Ordering,
): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return a < b === isAgainstIndex(ordering) ? 1 : -1;
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
