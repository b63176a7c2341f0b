/** What the text of a key demands of an element, and how an index can help to find it. */
import type { Element } from '../../../dicom/data-set.js';
import { keywordOf } from '../../../dicom/dictionary.js';
import type { LetterCase } from '../../../dicom/normalise.js';
import { formatTag, type Tag } from '../../../dicom/tag.js';
import { ServiceError } from '../../../errors.js';
import type { SearchKey } from './search-keys.js';

/** How an index can narrow the search down to candidates; values are spelled as indexes hold them. */
export type Narrowing =
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | {
      readonly kind: 'interval';
      readonly from: string | undefined;
      readonly to: string | undefined;
    };

export interface Demand {
  readonly matches: (element: Element | undefined) => boolean;
  /** Absent when no index of values can help. */
  readonly narrowing?: Narrowing;
  /** Whether all that the narrowing leaves matches, where what the index holds of it is plain (`isPlain`). */
  readonly isDecided?: boolean;
  /** How an ending of a word begins, where an index of words can help (`beginningOfEndings`). */
  readonly part?: string;
}

/** How to read attributes of what may match. */
export type ElementOf = (tag: Tag) => Element | undefined;

export interface Predicate extends Omit<Demand, 'matches'> {
  readonly key: SearchKey;
  readonly matches: (elementOf: ElementOf) => boolean;
}

/** One key of a query; its text is not empty. */
export interface Given {
  readonly key: SearchKey;
  readonly text: string;
}

/** How names match: exactly or by pattern, or by the beginnings of their words (`fuzzymatching`). */
export type NameMatching = 'exact' | 'any-order' | 'phrase';

/** How the keys of one query match. */
export interface Matching {
  readonly names: NameMatching;
  readonly letterCase: LetterCase;
  /** `""` matches what has no value (PS3.4 §C.2.2.2.7). */
  readonly emptyValues: boolean;
  /** Values that a backslash separates have to match all of them (PS3.4 §C.2.2.2.8). */
  readonly multipleValues: boolean;
}

/** What a matcher makes of the text of a query. */
export type Matcher = (text: string, key: SearchKey, matching: Matching) => Demand;

/** The attribute of a key as messages call it. */
export function nameOf({ tag }: SearchKey): string {
  return keywordOf(tag) ?? formatTag(tag);
}

export function refuse(key: SearchKey, message: string): ServiceError {
  const parameter = nameOf(key);
  return new ServiceError('invalid-query', `Invalid query: ${message}`, { parameter });
}
