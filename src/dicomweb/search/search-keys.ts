/** The search keys: which attributes match at which level, and how (PS3.18 §10.6.1.5). */
import { attribute } from '../../dicom/attribute.js';
import { vrOf } from '../../dicom/dictionary.js';
import type { Tag } from '../../dicom/tag.js';
import type { VR } from '../../dicom/vr.js';
import { seriesAttributes, studyAttributes } from '../../storage/archive/attributes.js';
import type { Level } from '../../storage/archive/keys.js';

export interface SearchKey {
  readonly tag: Tag;
  readonly level: Level;
  readonly vr: VR;
}

const computedStudyKeys = ['ModalitiesInStudy', 'SOPClassesInStudy'].map(attribute);
const instanceKeys = [
  'SOPClassUID',
  'SOPInstanceUID',
  'InstanceNumber',
  'Rows',
  'Columns',
  'BitsAllocated',
  'NumberOfFrames',
].map(attribute);

/** Attributes that say how values are spelled, not what is sought. */
const notKeys: ReadonlySet<Tag> = new Set(
  ['SpecificCharacterSet', 'TimezoneOffsetFromUTC'].map(attribute),
);

function keys(level: Level, tags: readonly Tag[]): readonly SearchKey[] {
  return tags.flatMap((tag) => {
    const vr = vrOf(tag) ?? 'UN';
    return notKeys.has(tag) || vr === 'SQ' ? [] : [{ tag, level, vr }];
  });
}

export const searchKeys: readonly SearchKey[] = [
  ...keys('study', [...studyAttributes, ...computedStudyKeys]),
  ...keys('series', seriesAttributes),
  ...keys('instance', instanceKeys),
];

const byTag = new Map(searchKeys.map((key) => [key.tag, key]));

/** The key for an attribute, if it is one. */
export function searchKeyOf(tag: Tag): SearchKey | undefined {
  return byTag.get(tag);
}
