/** Orders of a client's, and the keys by which they sort: spelled so that they compare as the rows of an index do. */
import type { Element } from '../../../dicom/data-set.js';
import { vrOf } from '../../../dicom/dictionary.js';
import { normalisedValues } from '../../../dicom/normalise.js';
import type { Tag } from '../../../dicom/tag.js';
import { indexedValue } from '../../../storage/archive/index/search-index.js';

/** Results that are put in order at once. */
export const mostOrdered = 5000;

/** An order other than newest first. */
export interface Ordering {
  readonly tag: Tag;
  readonly descending: boolean;
  /** What orders those that are equal, one after the other. */
  readonly then?: readonly Ordering[];
}

/** Dates are indexed from the latest on. */
export function isAgainstIndex({ tag, descending }: Ordering): boolean {
  return descending !== (vrOf(tag) === 'DA');
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
