/** The search keys: which attributes match at which level, and how (PS3.18 §10.6.1.5). */
import { attribute } from '../../../dicom/attribute.js';
import { vrOf } from '../../../dicom/dictionary.js';
import type { Tag } from '../../../dicom/tag.js';
import type { VR } from '../../../dicom/vr.js';
import { seriesAttributes, studyAttributes } from '../../../storage/archive/index/attributes.js';
import type { Level } from '../../../storage/archive/keys.js';

/** Tags from the outermost sequence to the attribute. */
export type AttributePath = readonly [Tag, ...Tag[]];

export interface SearchKey {
  /** The attribute, or the outermost sequence that it is in. */
  readonly tag: Tag;
  /** The way on from there, empty for an attribute of the data set itself. */
  readonly within: readonly Tag[];
  readonly level: Level;
  /** Of the attribute itself. */
  readonly vr: VR;
  /** No row above the instances keeps it: the data set of an instance has to be asked. */
  readonly inDataSet: boolean;
}

/** A key that stands in the table below: one attribute, or a sequence through which keys lead. */
export interface ListedKey {
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

function keys(level: Level, tags: readonly Tag[]): readonly ListedKey[] {
  return tags.flatMap((tag) => (notKeys.has(tag) ? [] : [{ tag, level, vr: vrOf(tag) ?? 'UN' }]));
}

export const searchKeys: readonly ListedKey[] = [
  ...keys('study', [...studyAttributes, ...computedStudyKeys]),
  ...keys('series', seriesAttributes),
  ...keys('instance', instanceKeys),
];

const byTag = new Map(searchKeys.map((key) => [key.tag, key]));

/**
 * The key that a path names on a route, if it is one there.
 *
 * @param path - tags from the outermost sequence to the attribute.
 * @param levels - the levels whose attributes the route matches.
 * @param anyAttribute - whether attributes of the data sets that no level lists are keys too.
 */
export function searchKeyOf(
  path: AttributePath,
  levels: readonly Level[],
  anyAttribute: 'all' | 'unlisted' | 'none',
): SearchKey | undefined {
  const [tag, ...within] = path;
  const vr = vrOf(path.at(-1) ?? tag) ?? 'UN';
  // The way leads through sequences, or through what the dictionary does not know.
  if (path.slice(0, -1).some((above) => (vrOf(above) ?? 'SQ') !== 'SQ')) return undefined;
  if (vr === 'SQ') return undefined;
  const listed = byTag.get(tag);
  if (listed !== undefined && levels.includes(listed.level)) {
    return { tag, within, level: listed.level, vr, inDataSet: false };
  }
  const level = levels.at(-1);
  if (level === undefined || anyAttribute === 'none' || notKeys.has(tag)) return undefined;
  if (listed !== undefined && anyAttribute === 'unlisted') return undefined;
  return { tag, within, level, vr, inDataSet: level !== 'instance' };
}
