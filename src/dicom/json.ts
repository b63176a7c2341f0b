/**
 * The DICOM JSON model (PS3.18 Annex F): from a parsed data set to the model, and from the model
 * to text.
 */
import { defaultCharacterSet, type CharacterSet } from './text/character-set.js';
import type { Attribute, DataSet, Element, Value } from './data-set.js';
import type { RawDataSet, RawElement } from './raw-data-set.js';
import { characterSetWithin, valuesOf } from './raw-value.js';
import type { Spelled, Spelling } from './spelling.js';
import { tagFrom, type Tag } from './tag.js';
import { isPersonName } from './value.js';
import { traitsOf } from './vr.js';

/** Binary values up to this many bytes are put into the model; longer ones are referred to. */
export const maxInlineBinaryBytes = 256;

/** Pixel data is never inline, however small: FloatPixelData, DoubleFloatPixelData, PixelData. */
const pixelData: ReadonlySet<Tag> = new Set([
  tagFrom(0x7fe0, 0x0008),
  tagFrom(0x7fe0, 0x0009),
  tagFrom(0x7fe0, 0x0010),
]);

/** Where a data set stands: what its items inherit, and its attribute path with a final slash. */
interface Context {
  readonly characterSet: CharacterSet;
  readonly bigEndian: boolean;
  readonly path: string;
}

/** The bytes in little-endian order, as base64 (PS3.18 §F.2.7). */
function base64(bytes: Uint8Array, wordBytes: 1 | 2 | 4 | 8, bigEndian: boolean): string {
  if (!bigEndian || wordBytes === 1) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  }
  const swapped = Buffer.from(bytes);
  for (let at = 0; at + wordBytes <= swapped.length; at += wordBytes) {
    swapped.subarray(at, at + wordBytes).reverse();
  }
  return swapped.toString('base64');
}

function toElement(raw: RawElement, context: Context): Element {
  const { tag, vr, bytes, items } = raw;
  const { kind, wordBytes } = traitsOf(vr);
  if (items !== undefined) {
    // Items may stand in an element of VR UN (PS3.5 §6.2.2); to readers it is a sequence.
    if (items.length === 0) return { vr: 'SQ' };
    const path = `${context.path}${tag}/`;
    return {
      vr: 'SQ',
      Value: items.map((item, index) =>
        toItem(item, { ...context, path: `${path}${String(index)}/` }),
      ),
    };
  }
  if (raw.length === 0 || kind === 'sequence') return { vr };
  if (bytes === undefined) return { vr, BulkDataURI: context.path + tag };
  if (kind === 'bulk') {
    return bytes.length > maxInlineBinaryBytes || pixelData.has(tag)
      ? { vr, BulkDataURI: context.path + tag }
      : { vr, InlineBinary: base64(bytes, wordBytes, context.bigEndian) };
  }
  const values = valuesOf(raw, context.bigEndian, context.characterSet);
  return values.length === 0 ? { vr } : { vr, Value: values };
}

function toItem(raw: RawDataSet, outer: Context): DataSet {
  return Object.fromEntries(attributesIn(raw, outer));
}

function* attributesIn(raw: RawDataSet, outer: Context): Generator<Attribute, void, undefined> {
  const characterSet = characterSetWithin(raw, outer.characterSet);
  const context = { ...outer, characterSet, bigEndian: raw.bigEndian };
  const elements = inTagOrder(raw.elements);
  for (const [at, element] of elements.entries()) {
    const isRepeated = elements[at + 1]?.tag === element.tag;
    if (!isRepeated && !isLeftOut(element.tag)) yield [element.tag, toElement(element, context)];
  }
}

/** Group lengths and file meta information are no part of the model (PS3.18 §F.2.2). */
function isLeftOut(tag: Tag): boolean {
  return tag.endsWith('0000') || tag.startsWith('0002');
}

function inTagOrder<T extends { readonly tag: Tag }>(elements: readonly T[]): readonly T[] {
  return elements.toSorted((a, b) => (a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0));
}

/**
 * Makes the model of a parsed data set (PS3.18 Annex F): text in Unicode, numbers as numbers where
 * a double carries them, short binary values inline. Long binary values, pixel data and whatever
 * the parser left out become a BulkDataURI that is the attribute path alone (`7FE00010`,
 * `54000100/0/54001010`, items counted from 0). Of an attribute that is there twice the last counts.
 */
export function toDataSet(raw: RawDataSet): DataSet {
  return Object.fromEntries(attributesOf(raw));
}

/**
 * The attributes of `toDataSet` one by one, in ascending order of tag: for data sets that would take
 * much memory as a whole.
 */
export function attributesOf(raw: RawDataSet): Generator<Attribute, void, undefined> {
  return attributesIn(raw, {
    characterSet: defaultCharacterSet,
    bigEndian: raw.bigEndian,
    path: '',
  });
}

function isDataSet(value: Value): value is DataSet {
  return typeof value === 'object' && value !== null && !isPersonName(value);
}

/**
 * Writes a data set as text with its attributes in ascending order of tag at every level, as
 * PS3.18 §F.2.2 asks. `JSON.stringify` would put tags that look like array indexes (`30060020`)
 * before all others, and so does any object that holds them.
 *
 * @param spelling - shown in place of what the data set has; of attributes that are not in it nothing.
 */
export function stringifyDataSet(dataSet: DataSet, spelling: Spelling = {}): string {
  const members = inOrder(dataSet).map((attribute) =>
    stringifyAttribute(attribute, spelling[attribute[0]]),
  );
  return `{${members.join(',')}}`;
}

/** What `stringifyDataSet` writes, each item of the data set's own sequences in a piece by itself. */
export function* stringifiedPieces(dataSet: DataSet): Generator<string, void, undefined> {
  let before = '{';
  for (const attribute of inOrder(dataSet)) {
    const [tag, { vr, Value: values = [] }] = attribute;
    if (vr !== 'SQ' || values.length === 0) yield before + stringifyAttribute(attribute);
    else {
      before += `"${tag}":{"vr":"SQ","Value":[`;
      for (const item of values) {
        yield before + stringifyValue(item, null);
        before = ',';
      }
      yield ']}';
    }
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

function inOrder(dataSet: DataSet): readonly Attribute[] {
  const attributes = Object.entries(dataSet) as [Tag, Element][];
  return attributes.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Writes one attribute as a member of the object that `stringifyDataSet` writes. */
export function stringifyAttribute(
  [tag, element]: Attribute,
  spelled?: readonly Spelled[],
): string {
  return `"${tag}":${stringifyElement(element, spelled)}`;
}

function stringifyElement(element: Element, spelled: readonly Spelled[] = []): string {
  const { vr, Value: values = [] } = element;
  if (spelled.length === 0 && (vr !== 'SQ' || values.length === 0)) return JSON.stringify(element);
  // Text that is all nulls is no value of the model.
  const longer = values.length < spelled.length ? spelled : values;
  const texts = longer.map((_, at) => stringifyValue(values[at] ?? null, spelled[at] ?? null));
  return `{"vr":"${vr}","Value":[${texts.join(',')}]}`;
}

function stringifyValue(value: Value, spelled: Spelled): string {
  if (isDataSet(value)) return stringifyDataSet(value, isSpelling(spelled) ? spelled : {});
  if (spelled === null) return JSON.stringify(value);
  return typeof value === 'number' && typeof spelled === 'string'
    ? spelled
    : JSON.stringify(spelled);
}

function isSpelling(spelled: Spelled): spelled is Spelling {
  return typeof spelled === 'object' && spelled !== null && !isPersonName(spelled);
}

/** The data set without any binary values (OB OD OF OL OV OW UN), in its items too. */
export function withoutBulk(dataSet: DataSet): DataSet {
  const kept: Record<Tag, Element> = {};
  for (const [tag, element] of Object.entries(dataSet) as [Tag, Element][]) {
    if (traitsOf(element.vr).kind === 'bulk') continue;
    const { vr, Value: values } = element;
    kept[tag] =
      vr === 'SQ' && values !== undefined
        ? { vr, Value: values.map((item) => (isDataSet(item) ? withoutBulk(item) : item)) }
        : element;
  }
  return kept;
}

/**
 * Makes every BulkDataURI in the text of a stored data set absolute. The name of the member cannot
 * occur inside a JSON string, whose quotes are escaped, so the text need not be parsed.
 *
 * @param json text as `stringifyDataSet` or `JSON.stringify` write it, without white space.
 * @param base what the attribute path is appended to, with its final slash.
 */
export function withBulkDataBase(json: string, base: string): string {
  const member = '"BulkDataURI":"';
  const replacement = member + JSON.stringify(base).slice(1, -1);
  return json.replaceAll(member, () => replacement);
}
