/** Reads what a bulk update changes, a data set in DICOM JSON, and says of each attribute what is wrong with it. */
import { textOfElement, textOfValue } from '../../dicom/write/change-attributes.js';
import type { DataSet, Element, PersonName, Value } from '../../dicom/data-set.js';
import { vrOf } from '../../dicom/dictionary.js';
import { parseTag, type Tag } from '../../dicom/tag.js';
import { complaintAbout } from '../../dicom/vr-rules.js';
import { traitsOf, type VR } from '../../dicom/vr.js';
import { invalidMember, isJsonObject } from '../json-body.js';
import { commentOf } from '../store/judge-header.js';
import { updatableAttributes } from './updatable-attributes.js';

/** What a body asks for. */
export interface RequestedChanges {
  readonly changes: DataSet;
  /** `DICOM100: (gggg,eeee) - …` for each attribute that cannot be changed so. */
  readonly comments: readonly string[];
}

/** The longest value that a header with a 16-bit length can announce. */
const longestBytes = 0xfffe;

const nameGroups: ReadonlySet<string> = new Set(['Alphabetic', 'Ideographic', 'Phonetic']);

function isName(value: unknown): value is PersonName {
  return (
    isJsonObject(value) &&
    Object.entries(value).every(
      ([group, text]) => nameGroups.has(group) && typeof text === 'string' && !text.includes('='),
    )
  );
}

/** Whether JSON can be a value of an attribute of text. */
function isValue(value: unknown, vr: VR): value is Value {
  if (value === null) return true;
  if (vr === 'PN') return isName(value);
  return typeof value === 'string' || (vr === 'DS' && typeof value === 'number');
}

/** What is wrong with an element, by the rules of its VR. */
function complaintOf(
  tag: Tag,
  element: Readonly<Record<string, unknown>>,
  vr: VR,
): { readonly element: Element } | { readonly message: string } {
  const { vr: given = vr, Value: values = [] } = element;
  const others = Object.keys(element).filter((name) => name !== 'vr' && name !== 'Value');
  if (given !== vr) return { message: `The VR of the attribute is ${vr}.` };
  if (others.length > 0 || !Array.isArray(values)) {
    return { message: 'The attribute takes an array of values.' };
  }
  const judged: Value[] = [];
  for (const value of values as readonly unknown[]) {
    if (!isValue(value, vr)) return { message: `A value is none of VR ${vr}.` };
    const text = textOfValue(value);
    const complaint = complaintAbout(text, vr);
    if (complaint !== undefined) {
      const { content, reason } = complaint;
      return { message: `Content "${content}" does not validate VR ${vr}: ${reason}` };
    }
    if (traitsOf(vr).multiValued && text.includes('\\')) {
      return {
        message: `Content "${text}" does not validate VR ${vr}: value contains a backslash`,
      };
    }
    judged.push(value);
  }
  if (judged.length > 1 && updatableAttributes.get(tag) !== 'many') {
    return { message: 'The attribute has one value.' };
  }
  const read: Element = judged.length === 0 ? { vr } : { vr, Value: judged };
  return Buffer.byteLength(textOfElement(read)) > longestBytes
    ? { message: `The values are longer than ${longestBytes} bytes.` }
    : { element: read };
}

/**
 * Reads the changes.
 *
 * @param value - the member of the body.
 * @throws ServiceError `invalid-body` when it is no data set at all.
 */
export function readChanges(value: unknown): RequestedChanges {
  if (!isJsonObject(value)) throw invalidMember('ChangeDataset', 'A data set is expected.');
  const changes: Record<Tag, Element> = {};
  const comments: string[] = [];
  for (const [name, element] of Object.entries(value)) {
    const tag = parseTag(name);
    if (tag === undefined) {
      throw invalidMember('ChangeDataset', 'A name is no tag of eight hexadecimal digits.');
    }
    const vr = vrOf(tag);
    if (vr === undefined || !updatableAttributes.has(tag)) {
      comments.push(commentOf({ tag, message: 'Updating the tag is not supported' }));
      continue;
    }
    if (!isJsonObject(element))
      throw invalidMember(`ChangeDataset.${tag}`, 'An object is expected.');
    const judged = complaintOf(tag, element, vr);
    if ('message' in judged) comments.push(commentOf({ tag, message: judged.message }));
    else changes[tag] = judged.element;
  }
  return { changes, comments };
}
