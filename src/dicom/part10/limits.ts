/** What reading one file may cost, and the error that says which limit was passed. */
import { ServiceError } from '../../errors.js';

/** Passing one of these throws `dicom-limit-exceeded`. */
export interface Part10Limits {
  /** Bytes held of one file: everything but bulk values. */
  readonly headerBytes: number;
  /** Sequences within sequences. */
  readonly nestingDepth: number;
  /** Elements and items, at every level. */
  readonly elements: number;
  /** Values of text and numbers that are held, at every level. */
  readonly values: number;
  /** Fragments of encapsulated values; a few bytes are held of each. */
  readonly fragments: number;
  /** Bytes that a deflated data set may inflate to. */
  readonly inflatedBytes: number;
}

/**
 * Room for the largest headers in use, and an end to what a hostile file can cost: an element costs up
 * to 60 bytes of memory and 2 µs while a file is read, half a KiB and 10 µs while it is interpreted, a
 * value a tenth of that, a fragment next to nothing. An enhanced multi-frame object has some fifty elements a frame, a slide with a functional
 * group per frame a dozen; the contours of a radiotherapy plan are a million values and more; a
 * slide has a fragment or more for each of its tiles.
 */
export const defaultPart10Limits: Part10Limits = {
  headerBytes: 32 * 1024 ** 2,
  nestingDepth: 64,
  elements: 200_000,
  values: 2_000_000,
  fragments: 1_000_000,
  inflatedBytes: 256 * 1024 ** 2,
};

const subjects: Readonly<Record<keyof Part10Limits, string>> = {
  headerBytes: 'has more bytes besides bulk values',
  nestingDepth: 'nests sequences deeper',
  elements: 'has more elements and items',
  values: 'has more values besides bulk values',
  fragments: 'has more fragments',
  inflatedBytes: 'inflates to more bytes',
};

function doubtAbout({ tag = '', offset }: { tag?: string; offset?: number }): string {
  const place = offset === undefined ? '' : `, at byte ${offset},`;
  return ` If the file is smaller, it is cut off or damaged: the length of (${tag.slice(0, 4)},${tag.slice(4)})${place} cannot be right.`;
}

/** The error for a limit that has been passed. */
export function limitExceeded(
  limit: keyof Part10Limits,
  limits: Part10Limits,
  facts: { readonly offset?: number; readonly tag?: string } = {},
): ServiceError {
  const limitValue = limits[limit];
  // What a file says of its lengths may be wrong: a limit is no proof that the file is so large.
  const doubt = limit === 'headerBytes' && facts.tag !== undefined ? doubtAbout(facts) : '';
  return new ServiceError(
    'dicom-limit-exceeded',
    `The data set ${subjects[limit]} than ${limitValue}.${doubt}`,
    { ...facts, limit, limitValue },
  );
}
