/**
 * Gives attributes of a data set other values, of text: what its file then has to say, and what its DICOM JSON. Text is
 * written in the character set of the data set, as everything else in it is.
 */
import type { DataSet, Element, Value } from '../data-set.js';
import { encodeText, isAscii } from '../text/encode-text.js';
import { attributesOf, stringifyDataSet } from '../json.js';
import type { RawElement } from '../raw-data-set.js';
import { spellingsOf, type Spelled, type Spelling } from '../spelling.js';
import { tagFrom, type Tag } from '../tag.js';
import { isPersonName } from '../value.js';
import type { NewValue } from './rewrite.js';

const specificCharacterSet = tagFrom(0x0008, 0x0005);
const utf8 = 'ISO_IR 192';

/** A data set with its changes. */
export interface ChangedDataSet {
  readonly kind: 'changed';
  /** For its file; lengths of groups and of the rest of the file, which would be wrong, are left out. */
  readonly values: ReadonlyMap<Tag, NewValue | undefined>;
  readonly dataSet: DataSet;
  readonly spelling: Spelling;
  /** Attributes with another value. */
  readonly changed: ReadonlySet<Tag>;
}

/** An attribute whose value the data set cannot have, since its character set lacks characters. */
export interface Unwritable {
  readonly kind: 'unwritable';
  readonly tag: Tag;
}

/** A value as text; `null` is an empty one. */
export function textOfValue(value: Value): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  if (!isPersonName(value)) return '';
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value;
  return `${Alphabetic}=${Ideographic}=${Phonetic}`.replace(/=+$/, '');
}

/** The whole value of an element of text, as its file has it. */
export function textOfElement({ Value = [] }: Element): string {
  return Value.map(textOfValue).join('\\');
}

/** The character set in which the data set can have the new values, and those; or the first that it cannot have. */
function encodeAll(
  dataSet: DataSet,
  changes: readonly (readonly [Tag, Element])[],
): ReadonlyMap<Tag, NewValue> | Unwritable {
  const declared = (dataSet[specificCharacterSet]?.Value ?? []).map(textOfValue);
  const encoded = (characterSet: readonly string[]) => {
    const values = new Map<Tag, NewValue>();
    for (const [tag, element] of changes) {
      const { vr } = element;
      const value = encodeText(textOfElement(element), characterSet, vr);
      if (value === undefined) return { kind: 'unwritable', tag } as const;
      values.set(tag, { vr, value });
    }
    return values;
  };
  const asDeclared = encoded(declared);
  if (!('kind' in asDeclared)) return asDeclared;
  // Text in ASCII is the same in UTF-8, so everything else may stay as it is; code extensions may hide in it.
  const kept = Object.entries(dataSet).filter(([tag]) => !changes.some(([one]) => one === tag));
  if (declared.length > 1 || !isAscii(JSON.stringify(Object.fromEntries(kept)))) {
    // Without a character set text is read as Latin-1, and it seems to be that.
    return declared.length === 0 ? encoded(['ISO_IR 100']) : asDeclared;
  }
  const inUtf8 = encoded([utf8]);
  if ('kind' in inUtf8) return inUtf8;
  const name = { vr: 'CS', value: Buffer.from(utf8) } as const;
  return new Map([[specificCharacterSet, name], ...inUtf8]);
}

/**
 * Changes attributes.
 *
 * @param dataSet - the DICOM JSON of the instance, and `spelling` what its file spells otherwise.
 * @param changes - attributes of text VRs with their new values, which are valid; empty ones become empty.
 */
export function changeAttributes(
  dataSet: DataSet,
  spelling: Spelling,
  changes: DataSet,
): ChangedDataSet | Unwritable {
  const entries = Object.entries(changes) as [Tag, Element][];
  const values = encodeAll(dataSet, entries);
  if ('kind' in values) return values;
  const before = dataSet[specificCharacterSet];
  const raw = {
    bigEndian: false,
    elements: [...values].map(([tag, { vr, value }]): RawElement => {
      return { tag, vr, offset: 0, length: value.length, bytes: value };
    }),
  };
  if (before !== undefined && !values.has(specificCharacterSet)) {
    const bytes = Buffer.from(textOfElement(before), 'latin1');
    const { length } = bytes;
    raw.elements.push({ tag: specificCharacterSet, vr: 'CS', offset: 0, length, bytes });
  }
  // As a store would read them from the file.
  const news: DataSet = Object.fromEntries(
    [...attributesOf(raw)].filter(([tag]) => values.has(tag)),
  );
  const changed = new Set(values.keys());
  const spelled: Record<Tag, readonly Spelled[]> = {};
  for (const [tag, one] of Object.entries(spelling) as [Tag, readonly Spelled[]][]) {
    if (!changed.has(tag)) spelled[tag] = one;
  }
  for (const [tag, one] of spellingsOf(raw)) if (changed.has(tag)) spelled[tag] = one;
  const lengths = new Set([...changed].map((tag) => `${tag.slice(0, 4)}0000` as Tag));
  const gone = [...lengths, tagFrom(0x0008, 0x0001)].map((tag) => [tag, undefined] as const);
  return {
    kind: 'changed',
    values: new Map<Tag, NewValue | undefined>([...gone, ...values]),
    dataSet: withoutTag({ ...dataSet, ...news }, tagFrom(0x0008, 0x0001)),
    spelling: spelled,
    changed,
  };
}

function withoutTag(dataSet: DataSet, left: Tag): DataSet {
  return Object.fromEntries(Object.entries(dataSet).filter(([tag]) => tag !== left));
}

/** The text of a changed data set as rows keep it. */
export function stringifyChanged({ dataSet, spelling }: ChangedDataSet): string {
  const json = stringifyDataSet(dataSet);
  return Object.keys(spelling).length === 0 ? json : `${json}\n${JSON.stringify(spelling)}`;
}
