/** What reading one file may cost, and the error that says which limit was passed. */
import { ServiceError } from '../errors.js';

/** Passing one of these throws `dicom-limit-exceeded`. */
export interface Part10Limits {
  /** Bytes held of one file: everything but bulk values. */
  readonly headerBytes: number;
  /** Sequences within sequences. */
  readonly nestingDepth: number;
  /** Elements, items and fragments, at every level. */
  readonly elements: number;
  /** Bytes that a deflated data set may inflate to. */
  readonly inflatedBytes: number;
}

/**
 * Room for the largest headers in use (enhanced multi-frame objects and slides with a functional
 * group per frame), and an end to what a hostile file can cost.
 */
export const defaultPart10Limits: Part10Limits = {
  headerBytes: 64 * 1024 ** 2,
  nestingDepth: 64,
  elements: 1_000_000,
  inflatedBytes: 4 * 1024 ** 3,
};

const subjects: Readonly<Record<keyof Part10Limits, string>> = {
  headerBytes: 'has more bytes besides bulk values',
  nestingDepth: 'nests sequences deeper',
  elements: 'has more elements, items and fragments',
  inflatedBytes: 'inflates to more bytes',
};

/** The error for a limit that has been passed. */
export function limitExceeded(
  limit: keyof Part10Limits,
  limits: Part10Limits,
  facts: { readonly offset?: number; readonly tag?: string } = {},
): ServiceError {
  const limitValue = limits[limit];
  return new ServiceError(
    'dicom-limit-exceeded',
    `The data set ${subjects[limit]} than ${limitValue}.`,
    { ...facts, limit, limitValue },
  );
}
