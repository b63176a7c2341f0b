/**
 * Unique identifiers as branded strings that only a parser can make, so that a study UID is never
 * mistaken for a series UID and nothing unchecked reaches a storage key.
 */

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type StudyInstanceUID = Branded<'StudyInstanceUID'>;
export type SeriesInstanceUID = Branded<'SeriesInstanceUID'>;
export type SOPInstanceUID = Branded<'SOPInstanceUID'>;
export type SOPClassUID = Branded<'SOPClassUID'>;
export type TransferSyntaxUID = Branded<'TransferSyntaxUID'>;
export type Uid =
  StudyInstanceUID | SeriesInstanceUID | SOPInstanceUID | SOPClassUID | TransferSyntaxUID;

/** The three UIDs that name an instance. */
export interface InstanceUids {
  readonly study: StudyInstanceUID;
  readonly series: SeriesInstanceUID;
  readonly instance: SOPInstanceUID;
}

const shape = /^[0-9.]{0,63}[0-9]$/;

/**
 * Reads a UID: 1 to 64 digits and dots that end in a digit. Trailing padding (spaces, nulls) is
 * dropped; leading zeros in a component are tolerated because real files carry them (PS3.5 §9.1).
 *
 * @returns the UID, or `undefined` when the text is none.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says what it names
export function parseUid<U extends Uid>(text: string): U | undefined {
  const trimmed = text.replace(/[ \0]+$/, '');
  return shape.test(trimmed) ? (trimmed as U) : undefined;
}
