/**
 * Extended query tags: attributes that the users of an archive add to those that are indexed. What rows keep
 * of them, what indexes find by them, and what a search compares follow from the functions of this module.
 */
import type { DataSet, Element, PersonName, Value } from '../../../dicom/data-set.js';
import { creatorOf, parseTag, type Tag } from '../../../dicom/tag.js';
import { parseUid } from '../../../dicom/uid.js';
import { complaintAbout, hasControl } from '../../../dicom/vr-rules.js';
import type { VR } from '../../../dicom/vr.js';
import type { Level } from '../keys.js';
import { indexedAttributes, levelAttributes, mergeAttributes } from './attributes.js';

/** What is indexed, and at which level. */
export interface QueryTag {
  readonly tag: Tag;
  readonly vr: VR;
  readonly level: Level;
  /** The name of the creator, of a private attribute: the block of the tag is that of the data set. */
  readonly creator?: string;
}

/** The tags that every write keeps and indexes: those that are added and not about to go. */
export interface TagSet {
  /** Grows whenever the tags change; 0 before there were any. */
  readonly version: number;
  readonly tags: readonly QueryTag[];
}

export const noTags: TagSet = { version: 0, tags: [] };

/** VRs whose values can be indexed, as in the Microsoft server. */
export const indexableVRs: ReadonlySet<VR> = new Set<VR>([
  ...(['AE', 'AS', 'CS', 'DA', 'DT', 'FD', 'FL', 'IS', 'LO'] as const),
  ...(['PN', 'SH', 'SL', 'SS', 'TM', 'UI', 'UL', 'US'] as const),
]);

/** Whether the attribute has an index of its own at the level without being added. */
export function isBuiltIn({ tag, level }: Pick<QueryTag, 'tag' | 'level'>): boolean {
  return indexedAttributes.some((one) => one.tag === tag && one.level === level);
}

/** The tags of a level that have no index without being added. */
export function tagsOf({ tags }: TagSet, level: Level): readonly QueryTag[] {
  return tags.filter((tag) => tag.level === level && !isBuiltIn(tag));
}

/** Why a value cannot be indexed, in the words of the Microsoft server. */
export const unindexable = {
  severalValues:
    'Dicom element has multiple values. Indexing is only supported on single value element.',
  tooLong: 'Value length exceeds maximum length.',
  otherLength: 'Value length is not expected.',
  character: 'Value contains invalid character.',
  otherVR: 'The extended query tag VR is not expected.',
  components: 'Value contains more than 5 components.',
  groups: 'Value contains more than 3 groups.',
  longGroup: 'One or more group of person name exceeds maxium length of 64.',
  date: 'Value cannot be parsed as a valid date.',
  dateTime: 'Value cannot be parsed as a valid DateTime.',
  time: 'Value cannot be parsed as a valid Time.',
  integer: 'Value cannot be parsed as a valid integer string.',
  uid:
    'DICOM Identifier is invalid. Value length should not exceed the maximum length of 64 characters. ' +
    "Value should contain characters in '0'-'9' and '.'. Each component must start with non-zero number.",
} as const;

type Check = (value: string) => string | undefined;

function atMost(length: number): Check {
  return (value) => (value.length > length ? unindexable.tooLong : undefined);
}

function byRules(vr: VR, reason: string): Check {
  return (value) => (complaintAbout(value, vr) === undefined ? undefined : reason);
}

/** The checks of text by VR. */
const checks: Partial<Record<VR, Check>> = {
  AE: atMost(16),
  AS: (value) => (value.length === 4 ? undefined : unindexable.otherLength),
  CS: atMost(16),
  DA: (value) => {
    const [, year, month, day] = /^(\d{4})\.?(\d\d)\.?(\d\d)$/.exec(value) ?? [];
    const date = new Date(`${year ?? ''}-${month ?? ''}-${day ?? ''}T00:00:00Z`);
    const isDate = !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day);
    return isDate ? undefined : unindexable.date;
  },
  DT: byRules('DT', unindexable.dateTime),
  IS: byRules('IS', unindexable.integer),
  LO: (value) => atMost(64)(value) ?? (hasControl(value) ? unindexable.character : undefined),
  SH: atMost(16),
  TM: byRules('TM', unindexable.time),
  UI: (value) => (parseUid(value) === undefined ? unindexable.uid : undefined),
};

function againstName({ Alphabetic, Ideographic, Phonetic }: PersonName): string | undefined {
  const groups = [Alphabetic ?? '', Ideographic ?? '', Phonetic ?? ''];
  if (groups.some((group) => group.includes('='))) return unindexable.groups;
  if (groups.some((group) => group.length > 64)) return unindexable.longGroup;
  if (groups.some(hasControl)) return unindexable.character;
  return groups.some((group) => group.split('^').length > 5) ? unindexable.components : undefined;
}

function isEmpty(value: Value): boolean {
  return value === null || (typeof value === 'string' && value.replace(/[ \0]+$/, '') === '');
}

/** What an element comes to for a tag: a value to index, the reason why there is none, or no value. */
export type Indexable =
  | { readonly kind: 'value'; readonly element: Element }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'none' };

/** Judges the element that a tag stands for. */
export function judgeElement(element: Element | undefined, { vr }: QueryTag): Indexable {
  const refused = (reason: string) => ({ kind: 'refused', reason }) as const;
  if (element === undefined) return { kind: 'none' };
  const { Value: values = [], InlineBinary, BulkDataURI } = element;
  const hasBytes = InlineBinary !== undefined || BulkDataURI !== undefined;
  if (values.every(isEmpty) && !hasBytes) return { kind: 'none' };
  if (element.vr !== vr) return refused(unindexable.otherVR);
  if (values.length > 1) return refused(unindexable.severalValues);
  const [value] = values;
  if (value === undefined) return refused(unindexable.otherLength);
  const reason =
    typeof value === 'string' || typeof value === 'number'
      ? checks[vr]?.(String(value).replace(/[ \0]+$/, ''))
      : againstName(value as PersonName);
  return reason === undefined ? { kind: 'value', element } : refused(reason);
}

/**
 * Where a data set has what a tag stands for; a private attribute is that of its creator, whichever block the data
 * set gives it (PS3.5 §7.8.1).
 *
 * @param namesAt - the names of creators that an element of the data set holds.
 * @returns `undefined` when the data set does not know the creator.
 */
export function placeOfTag(
  { tag, creator }: Pick<QueryTag, 'tag' | 'creator'>,
  namesAt: (at: Tag) => readonly string[],
): Tag | undefined {
  if (creator === undefined) return tag;
  const isCreator = (at: Tag | undefined) =>
    at !== undefined && namesAt(at).some((name) => name.trim() === creator.trim());
  if (isCreator(creatorOf(tag))) return tag;
  const group = tag.slice(0, 4);
  for (let block = 0x10; block <= 0xff; block++) {
    const name = block.toString(16).padStart(2, '0').toUpperCase();
    if (isCreator(parseTag(`${group}00${name}`))) return parseTag(group + name + tag.slice(6));
  }
  return undefined;
}

/** The element that a tag stands for. */
export function elementAt(
  dataSet: DataSet,
  tag: Pick<QueryTag, 'tag' | 'creator'>,
): Element | undefined {
  const place = placeOfTag(tag, (at) =>
    (dataSet[at]?.Value ?? []).filter((name) => typeof name === 'string'),
  );
  return place && dataSet[place];
}

/** What a data set says for a tag. */
export function judgeTag(dataSet: DataSet, tag: QueryTag): Indexable {
  return judgeElement(elementAt(dataSet, tag), tag);
}

/** The values of a data set that can be indexed, under the tags as they were added. */
export function taggedValues(dataSet: DataSet, tags: readonly QueryTag[]): DataSet {
  const values: Record<Tag, Element> = {};
  for (const tag of tags) {
    const judged = judgeTag(dataSet, tag);
    if (judged.kind === 'value') values[tag.tag] = judged.element;
  }
  return values;
}

/**
 * The attributes of a study or series after another instance: those that every archive keeps, and those that
 * were added; a value replaces a value.
 *
 * @param tagged - what the instance has for the tags, as `taggedValues` tells.
 */
export function mergeLevel(
  level: 'study' | 'series',
  known: DataSet,
  { dataSet, tagged }: { readonly dataSet: DataSet; readonly tagged: DataSet },
  set: TagSet,
): DataSet {
  const kept = levelAttributes[level];
  const merged = mergeAttributes(known, dataSet, kept);
  const added = tagsOf(set, level).filter(({ tag }) => !kept.includes(tag));
  if (added.length === 0) return merged;
  const all: Record<Tag, Element> = { ...merged };
  for (const { tag } of added) {
    const element = tagged[tag] ?? known[tag];
    if (element !== undefined) all[tag] = element;
  }
  return all;
}
