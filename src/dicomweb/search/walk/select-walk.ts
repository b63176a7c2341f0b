/**
 * Selects the walk that finds the studies of a search. Where several indexes can help, the first page of
 * each tells how much there is in it: the shortest is walked, and those that are known whole thin it out.
 */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { tableLimits } from '../../../storage/table-store.js';
import { usableIndexes, type ChosenIndex } from './choose-index.js';
import type { Predicate } from '../match/demand.js';
import type { WalkStart } from './place.js';
import { walkIndex, type OrderedHit, type SearchContext } from './walk.js';

export interface SelectedWalk {
  readonly chosen: ChosenIndex;
  readonly hits: AsyncGenerator<OrderedHit, void, undefined>;
  /** Names the index in the keys of places: the next page walks the same one. */
  readonly name: string;
}

/** An index this selective is walked without a look at others: a patient, an accession number. */
export const selectiveRank = 3;
/** Values of a list whose walks are merged for a look at most. */
const mostPeeked = 4;

interface Peek {
  readonly index: ChosenIndex;
  readonly hits: readonly OrderedHit[];
  /** Nothing follows the hits. */
  readonly isWhole: boolean;
}

function nameOf({ attribute: { tag }, sought }: ChosenIndex): string {
  return `${tag}${sought[0]?.kind === 'part' ? 'p' : 'v'}`;
}

const separator = '>';

/** The key of a place in a walk, with the name of the index that was walked. */
export function namedKey({ name }: SelectedWalk, key: string): string {
  return name + separator + key;
}

/** Takes the name of the index off a key. */
function withoutName(key: string): { readonly name: string; readonly key: string } {
  const at = key.indexOf(separator);
  return { name: key.slice(0, at), key: key.slice(at + 1) };
}

function splitStart({ after, at }: WalkStart): {
  readonly name?: string;
  readonly start: WalkStart;
} {
  if (after !== undefined) {
    const { name, key } = withoutName(after);
    return { name, start: { after: key } };
  }
  if (at === undefined) return { start: {} };
  const { name, key } = withoutName(at);
  return { name, start: { at: key } };
}

async function peek(context: SearchContext, index: ChosenIndex): Promise<Peek> {
  const rows = tableLimits.pageRows;
  const hits: OrderedHit[] = [];
  for await (const hit of walkIndex(context, index, rows, {})) {
    hits.push(hit);
    if (hit.last) return { index, hits, isWhole: true };
    if (hits.length === rows) return { index, hits, isWhole: false };
  }
  return { index, hits, isWhole: true };
}

async function* listed(hits: readonly OrderedHit[]): AsyncGenerator<OrderedHit, void, undefined> {
  for (const [position, hit] of hits.entries()) {
    yield await Promise.resolve({ ...hit, last: position === hits.length - 1 });
  }
}

async function* thinned(
  hits: AsyncGenerator<OrderedHit, void, undefined>,
  others: readonly ReadonlySet<StudyInstanceUID>[],
): AsyncGenerator<OrderedHit, void, undefined> {
  for await (const hit of hits) {
    // The last one says that nothing follows, whatever it is.
    if (hit.last || others.every((studies) => studies.has(hit.uids.study))) yield hit;
  }
}

/**
 * The walk for the predicates about studies; `undefined` when no index serves them.
 *
 * @param start - the key of a step of an earlier walk, as `namedKey` has it.
 */
export async function selectWalk(
  context: SearchContext,
  predicates: readonly Predicate[],
  wanted: number,
  from: WalkStart,
): Promise<SelectedWalk | undefined> {
  const usable = usableIndexes(predicates, 'study');
  const [best] = usable;
  if (best === undefined) return undefined;
  const { name, start } = splitStart(from);
  const peeked = usable.filter(({ sought }) => sought.length <= mostPeeked);
  if (best.rank <= selectiveRank || peeked.length < 2) {
    const chosen = usable.find((index) => nameOf(index) === name) ?? best;
    const hits = walkIndex(context, chosen, wanted, start);
    return { chosen, hits, name: nameOf(chosen) };
  }
  const peeks = await Promise.all(peeked.map(async (index) => await peek(context, index)));
  const whole = peeks
    .filter(({ isWhole }) => isWhole)
    .sort((a, b) => a.hits.length - b.hits.length);
  const chosen = usable.find((index) => nameOf(index) === name) ?? whole[0]?.index ?? best;
  const others = whole
    .filter(({ index }) => index !== chosen)
    .map(({ hits }) => new Set(hits.map(({ uids }) => uids.study)));
  const known = whole.find(({ index }) => index === chosen);
  if (known !== undefined && name === undefined) {
    const both = known.hits.filter(({ uids }) => others.every((one) => one.has(uids.study)));
    return { chosen, hits: listed(both), name: nameOf(chosen) };
  }
  return {
    chosen,
    hits: thinned(walkIndex(context, chosen, wanted, start), others),
    name: nameOf(chosen),
  };
}
