/**
 * Validation of attributes at a store: the light checks that decide about a rejection, the full
 * checks that become warnings, and the attributes without which nothing is stored. Which of them
 * count, and as what, is up to the profile of the request.
 */
import { decodeText, type CharacterSet } from './text/character-set.js';
import { keywordOf, vrOf } from './dictionary.js';
import type { RawDataSet, RawElement } from './raw-data-set.js';
import { characterSetWithin } from './raw-value.js';
import { formatTag, tagFrom, type Tag } from './tag.js';
import { parseUid } from './uid.js';
import { complaintAbout, hasControl } from './vr-rules.js';
import { traitsOf, type VR } from './vr.js';

/** An attribute that fails, and why. The message has no prefix. */
export interface ValidationFailure {
  readonly tag: Tag;
  readonly message: string;
}

/** How a minimum check treats its element. */
export interface MinimumOptions {
  /** Nulls at the end of text are padding; otherwise they are invalid characters. */
  readonly trailingNulls: 'padding' | 'invalid';
}

/** The UIDs without which no instance can be stored, retrieved or found. */
export const requiredUids: readonly Tag[] = [
  tagFrom(0x0020, 0x000d),
  tagFrom(0x0020, 0x000e),
  tagFrom(0x0008, 0x0018),
  tagFrom(0x0008, 0x0016),
];

/** What the Microsoft server says of what is no UID. */
export const invalidUid =
  'DICOM Identifier is invalid. Value length should not exceed the maximum length of 64 characters. ' +
  "Value should contain characters in '0'-'9' and '.'. Each component must start with non-zero number.";

const invalidCharacter = 'Value contains invalid character.';

/** A light check of the first value; the reason when it fails. */
type Check = (value: string) => string | undefined;

function maxLength(length: number): Check {
  return (value) =>
    value.length > length ? `Value length exceeds maximum length of ${String(length)}.` : undefined;
}

function exactLength(length: number): Check {
  return (value) =>
    value.length === length ? undefined : `Value length is not ${String(length)}.`;
}

/** What the full rules of a VR refuse, in one phrase. */
function parsesAs(vr: VR, what: string): Check {
  return (value) =>
    complaintAbout(value, vr) === undefined
      ? undefined
      : `Value cannot be parsed as a valid ${what}.`;
}

function checkDate(value: string): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(value) ?? [];
  const date = new Date(`${year ?? ''}-${month ?? ''}-${day ?? ''}T00:00:00Z`);
  // A day beyond the end of the month rolls over into the next one.
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day)
    ? undefined
    : 'Value cannot be parsed as a valid date.';
}

function checkLongString(value: string): string | undefined {
  return maxLength(64)(value) ?? (hasControl(value) ? invalidCharacter : undefined);
}

function checkName(value: string): string | undefined {
  const groups = value.split('=');
  if (groups.length > 3) return 'Value contains more than 3 groups.';
  if (groups.some((group) => group.length > 64)) {
    return 'One or more group of person name exceeds maxium length of 64.';
  }
  if (groups.some(hasControl)) return invalidCharacter;
  return groups.some((group) => group.split('^').length > 5)
    ? 'Value contains more than 5 components.'
    : undefined;
}

/** The light checks of text by VR; VRs without one pass. */
const minimumChecks: Partial<Record<VR, Check>> = {
  AE: maxLength(16),
  AS: exactLength(4),
  CS: maxLength(16),
  DA: checkDate,
  DT: parsesAs('DT', 'date time'),
  IS: parsesAs('IS', 'integer'),
  LO: checkLongString,
  PN: checkName,
  SH: maxLength(16),
  TM: parsesAs('TM', 'time'),
  UI: (value) => (parseUid(value) === undefined ? invalidUid : undefined),
};

function failed(element: RawElement, reason: string): string {
  const name = keywordOf(element.tag) ?? formatTag(element.tag);
  return `Dicom element '${name}' failed validation for VR '${element.vr}': ${reason}`;
}

/** The values of a text element, without padding: spaces, for UIDs nulls as well. */
function textValues(element: RawElement, characterSet: CharacterSet): readonly string[] {
  const { bytes, vr } = element;
  if (bytes === undefined) return [];
  const text = decodeText(bytes, characterSet, vr).replace(vr === 'UI' ? /[ \0]+$/ : / +$/, '');
  return traitsOf(vr).multiValued ? text.split('\\') : [text];
}

/**
 * The light check that indexed attributes get: the first value of text, the length of binary
 * numbers. Empty values pass.
 *
 * @returns the message of a failure, or `undefined`.
 */
export function validateMinimum(
  element: RawElement,
  characterSet: CharacterSet,
  { trailingNulls }: MinimumOptions,
): string | undefined {
  const { kind, wordBytes } = traitsOf(element.vr);
  if (kind === 'number') {
    return element.length % wordBytes === 0
      ? undefined
      : failed(element, `Value length is not ${String(wordBytes)}.`);
  }
  const check = minimumChecks[element.vr];
  if (check === undefined) return undefined;
  const [first = ''] = textValues(element, characterSet);
  const value = (trailingNulls === 'padding' ? first.replace(/\0+$/, '') : first).replace(
    / +$/,
    '',
  );
  const reason = value === '' ? undefined : check(value);
  return reason === undefined ? undefined : failed(element, reason);
}

/**
 * The full check of one element by the rules of its VR (PS3.5 §6.2): every value of text; nulls at
 * its end are padding. Sequences are not entered, see `validateAll`.
 *
 * @returns the message of the first failure, or `undefined`.
 */
export function validateFull(element: RawElement, characterSet: CharacterSet): string | undefined {
  const { kind } = traitsOf(element.vr);
  if (kind !== 'text' && kind !== 'name') return undefined;
  for (const value of textValues(element, characterSet)) {
    const complaint = complaintAbout(value.replace(/[ \0]+$/, ''), element.vr);
    if (complaint !== undefined) {
      return `Content "${complaint.content}" does not validate VR ${element.vr}: ${complaint.reason}`;
    }
  }
  return undefined;
}

/**
 * The full check of a data set and of all items in it, in the order of the file, an item after the
 * elements before its sequence.
 */
export function* validateAll(
  raw: RawDataSet,
  inherited?: CharacterSet,
): Generator<ValidationFailure, void, undefined> {
  const characterSet = characterSetWithin(raw, inherited);
  for (const element of raw.elements) {
    const { tag, items } = element;
    if (items !== undefined) {
      for (const item of items) yield* validateAll(item, characterSet);
      continue;
    }
    const message = validateFull(element, characterSet);
    if (message !== undefined) yield { tag, message };
  }
}

/**
 * Whether the VR in the file is the one that is expected of the attribute.
 *
 * @param expected by default that of the dictionary, where it knows the attribute.
 * @returns the message of a failure, or `undefined`.
 */
export function validateVR(
  element: RawElement,
  expected: VR | undefined = vrOf(element.tag),
): string | undefined {
  if (expected === undefined || expected === element.vr) return undefined;
  const name = keywordOf(element.tag) ?? formatTag(element.tag);
  return failed(
    element,
    `The extended query tag '${name}' is expected to have VR '${expected}' but has '${element.vr}' in file.`,
  );
}

/** Whether an element is there and its text is more than padding. */
export function hasText(element: RawElement | undefined): boolean {
  return element?.bytes?.some((byte) => byte !== 0x20 && byte !== 0) ?? false;
}

/** The message about a required attribute that is absent or empty. */
export function missingMessage(tag: Tag): string {
  return `The required tag '${formatTag(tag)}' is missing.`;
}

/** The required UIDs that are absent, empty or no UIDs. */
export function validateRequiredUids(raw: RawDataSet): readonly ValidationFailure[] {
  const characterSet = characterSetWithin(raw);
  return requiredUids.flatMap((tag) => {
    const element = raw.elements.find((other) => other.tag === tag);
    if (element === undefined || !hasText(element)) return [{ tag, message: missingMessage(tag) }];
    const message = validateMinimum(element, characterSet, { trailingNulls: 'padding' });
    return message === undefined ? [] : [{ tag, message }];
  });
}
