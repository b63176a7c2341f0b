/** The search keys: which attributes match at which level, and how (PS3.18 §10.6.1.5). */
import { attribute } from '../../../dicom/attribute.js';
import { vrOf } from '../../../dicom/dictionary.js';
import type { Tag } from '../../../dicom/tag.js';
import type { VR } from '../../../dicom/vr.js';
import { groupBy } from '../../../group-by.js';
import { seriesAttributes, studyAttributes } from '../../../storage/archive/index/attributes.js';
import type { Level } from '../../../storage/archive/keys.js';
import { isBuiltIn, type QueryTag } from '../../../storage/archive/index/query-tags.js';
import type { ListedTag } from '../../../storage/archive/query-tag-list.js';

/** Tags from the outermost sequence to the attribute. */
export type AttributePath = readonly [Tag, ...Tag[]];

/** How values match (docs/conformance.md, "Matching"). */
export type MatchingKind =
  'UIDs' | 'codes' | 'text' | 'names' | 'dates' | 'times' | 'numbers' | 'counts' | 'sequences';

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
  /** Not even that: the rows of all instances have to be asked. */
  readonly inInstances?: boolean;
  /** A number of things, of which ranges can be asked. */
  readonly isCount?: boolean;
  /** The extended query tag that it is, if so. */
  readonly queryTag?: QueryTag;
}

/** A key that stands in the table below: one attribute, or a sequence through which keys lead. */
export interface ListedKey {
  readonly tag: Tag;
  readonly level: Level;
  readonly vr: VR;
  readonly matching: MatchingKind;
  /** What it is looked for in at this level, where that is another attribute. */
  readonly as?: Tag;
}

/** What the rows tell besides the attributes that they keep. */
const computedStudyKeys = [
  'ModalitiesInStudy',
  'SOPClassesInStudy',
  'SOPClassUID',
  'InstanceAvailability',
  'AvailableTransferSyntaxUID',
  'NumberOfStudyRelatedSeries',
  'NumberOfStudyRelatedInstances',
].map(attribute);
const computedSeriesKeys = [
  'SOPClassUID',
  'InstanceAvailability',
  'AvailableTransferSyntaxUID',
  'NumberOfSeriesRelatedInstances',
].map(attribute);
const instanceKeys = [
  'SOPClassUID',
  'SOPInstanceUID',
  'InstanceAvailability',
  'AvailableTransferSyntaxUID',
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

const matchingOfVr: Partial<Record<VR, MatchingKind>> = {
  UI: 'UIDs',
  CS: 'codes',
  PN: 'names',
  DA: 'dates',
  TM: 'times',
  DS: 'numbers',
  IS: 'numbers',
  US: 'numbers',
  SQ: 'sequences',
};

const counts: ReadonlySet<Tag> = new Set(
  [
    'NumberOfStudyRelatedSeries',
    'NumberOfStudyRelatedInstances',
    'NumberOfSeriesRelatedInstances',
  ].map(attribute),
);

/** A study has instances of several classes, which it lists in an attribute of its own. */
const inStudies: Readonly<Record<Tag, Tag | undefined>> = {
  [attribute('SOPClassUID')]: attribute('SOPClassesInStudy'),
};

/** What rows above the instances do not keep. */
const ofInstances: ReadonlySet<Tag> = new Set([attribute('AvailableTransferSyntaxUID')]);

/** Whether the rows of all instances have to be asked for a key of a level. */
export function isInInstances({ tag, level }: Pick<ListedKey, 'tag' | 'level'>): boolean {
  return level !== 'instance' && ofInstances.has(tag);
}

function keys(level: Level, tags: readonly Tag[]): readonly ListedKey[] {
  return tags
    .filter((tag) => !notKeys.has(tag))
    .map((tag): ListedKey => {
      const vr = vrOf(tag) ?? 'UN';
      const matching = counts.has(tag) ? 'counts' : (matchingOfVr[vr] ?? 'text');
      const as = level === 'study' ? inStudies[tag] : undefined;
      return { tag, level, vr, matching, ...(as !== undefined && { as }) };
    });
}

/** THE table of search keys. An attribute of several levels matches at the lowest that a route has. */
export const searchKeys: readonly ListedKey[] = [
  ...keys('study', [...studyAttributes, ...computedStudyKeys]),
  ...keys('series', [...seriesAttributes, ...computedSeriesKeys]),
  ...keys('instance', instanceKeys),
];

const byTag = groupBy(searchKeys, ({ tag }) => tag);

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
  // The table has the levels from above.
  const own = listed?.filter(({ level }) => levels.includes(level)).at(-1);
  if (own !== undefined) {
    const isCount = within.length === 0 && own.matching === 'counts';
    const { level, as = tag } = own;
    const inInstances = isInInstances(own);
    return {
      ...{ tag: as, within, level, vr, inDataSet: false },
      ...(isCount && { isCount }),
      ...(inInstances && { inInstances }),
    };
  }
  const level = levels.at(-1);
  if (level === undefined || anyAttribute === 'none' || notKeys.has(tag)) return undefined;
  if (listed !== undefined && anyAttribute === 'unlisted') return undefined;
  return { tag, within, level, vr, inDataSet: level !== 'instance' };
}

/** Whether an attribute has an index at one of some levels in every archive, or is as good as one. */
export function isIndexed(tag: Tag, levels: readonly Level[]): boolean {
  return tag === studyInstanceUid || levels.some((level) => isBuiltIn({ tag, level }));
}

const studyInstanceUid = attribute('StudyInstanceUID');

/** The ready query tag that a path names on a route, whether it is enabled or not. */
export function queryTagOf(
  [tag, ...within]: AttributePath,
  levels: readonly Level[],
  tags: readonly ListedTag[],
): ListedTag | undefined {
  if (within.length > 0 || isIndexed(tag, levels)) return undefined;
  return tags.find(
    (one) => one.tag === tag && one.status === 'ready' && levels.includes(one.level),
  );
}
