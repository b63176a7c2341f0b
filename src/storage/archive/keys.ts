/**
 * Keys of blobs and rows, spelled and read in this one module. No key holds what Table Storage
 * forbids (`/ \ # ?`, control characters) and none is longer than 512 characters, which is 1 KiB in
 * the encoding of the service.
 */
import { createHash } from 'node:crypto';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPInstanceUID,
  StudyInstanceUID,
} from '../../dicom/uid.js';
import { parseTag, type Tag } from '../../dicom/tag.js';
import { ServiceError } from '../../errors.js';
import type { RowRange } from '../table-store.js';
import { invertUlid, type Ulid } from './ulid.js';

declare const brand: unique symbol;

/** Name of a data partition, within which UIDs are unique. */
export type Partition = string & { readonly [brand]: 'Partition' };

/** The partition of requests that name none. */
export const defaultPartition = 'Microsoft.Default' as Partition;

/**
 * Reads a partition name: 1 to 64 letters, digits, `.`, `_` or `-`; not `.` or `..`, which mean
 * other things in the path of a blob.
 *
 * @throws ServiceError `invalid-partition`.
 */
export function parsePartition(name: string): Partition {
  if (/^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}$/.test(name)) return name as Partition;
  throw new ServiceError(
    'invalid-partition',
    'The partition name must be 1 to 64 letters, digits, periods, underscores or hyphens.',
    { parameter: 'partition' },
  );
}

const separator = '|';
/** The character after the separator: the exclusive end of all keys that begin with it. */
const afterSeparator = '}';
/** Sorts before every character of a UID. */
const beforeEveryCharacter = ' ';
/** Sorts after every character that a key is spelled with. */
const afterEveryCharacter = '~';

/** The end, exclusive, of a range whose last row has a key. */
export function afterRow(rowKey: string): string {
  return rowKey + beforeEveryCharacter;
}

/** The range of all RowKeys that begin with `prefix` and a separator. */
function below(partitionKey: string, prefix: string): RowRange {
  return { partitionKey, from: prefix + separator, to: prefix + afterSeparator };
}

// ---- catalog -------------------------------------------------------------------------------

/** All rows of one study share this PartitionKey, so that one transaction can change them. */
export function studyPartitionKey(partition: Partition, study: StudyInstanceUID): string {
  return partition + separator + study;
}

/** The study whose rows share a PartitionKey. */
export function parseStudyPartitionKey(partitionKey: string): {
  readonly partition: Partition;
  readonly study: StudyInstanceUID;
} {
  const [partition = '', study = ''] = partitionKey.split(separator);
  return { partition: partition as Partition, study: study as StudyInstanceUID };
}

export const studyRowKey = '0';

export function seriesRowKey(series: SeriesInstanceUID): string {
  return `1|${series}`;
}

export function instanceRowKey({ series, instance }: Omit<InstanceUids, 'study'>): string {
  return `2|${series}|${instance}`;
}

/** The row of an instance as it was before its first update, beside the one that it has now. */
export function originalRowKey({ series, instance }: Omit<InstanceUids, 'study'>): string {
  return `3|${series}|${instance}`;
}

/** The level and the UIDs that a RowKey of the catalog names. */
export type CatalogKey =
  | { readonly level: 'study' }
  | { readonly level: 'series'; readonly series: SeriesInstanceUID }
  | {
      readonly level: 'instance' | 'original';
      readonly series: SeriesInstanceUID;
      readonly instance: SOPInstanceUID;
    };

export function parseCatalogRowKey(rowKey: string): CatalogKey {
  const [level, series = '', instance = ''] = rowKey.split(separator);
  if (level === '0') return { level: 'study' };
  if (level === '1') return { level: 'series', series: series as SeriesInstanceUID };
  return {
    level: level === '3' ? 'original' : 'instance',
    series: series as SeriesInstanceUID,
    instance: instance as SOPInstanceUID,
  };
}

/** The study row and all series rows. */
export function studyAndSeriesRows(partition: Partition, study: StudyInstanceUID): RowRange {
  return { partitionKey: studyPartitionKey(partition, study), from: studyRowKey, to: '2' };
}

/** The study row, and the series rows up to the last of some UIDs. */
export function studyAndSeriesRowsUpTo(
  partition: Partition,
  study: StudyInstanceUID,
  series: Iterable<SeriesInstanceUID>,
): RowRange {
  const last = [...series].sort().at(-1);
  return {
    partitionKey: studyPartitionKey(partition, study),
    from: studyRowKey,
    to: last === undefined ? '1' : seriesRowKey(last) + beforeEveryCharacter,
  };
}

/** All series rows. */
export function seriesRows(partition: Partition, study: StudyInstanceUID): RowRange {
  return below(studyPartitionKey(partition, study), '1');
}

/** The instance rows of a study, or of one of its series. */
export function instanceRows(
  partition: Partition,
  study: StudyInstanceUID,
  series?: SeriesInstanceUID,
): RowRange {
  return below(studyPartitionKey(partition, study), series === undefined ? '2' : `2|${series}`);
}

/** The originals of the instances from one to another. */
export function originalRows(
  partition: Partition,
  study: StudyInstanceUID,
  first: Omit<InstanceUids, 'study'>,
  last: Omit<InstanceUids, 'study'>,
): RowRange {
  const partitionKey = studyPartitionKey(partition, study);
  return { partitionKey, from: originalRowKey(first), to: afterRow(originalRowKey(last)) };
}

/** Whose turn it is among those who write a study: a row of the table `registry`. */
export function turnPartitionKey(partition: Partition, study: StudyInstanceUID): string {
  return `turn|${studyPartitionKey(partition, study)}`;
}
export const turnRowKey = 'turn';

// ---- search index --------------------------------------------------------------------------

export type Level = 'study' | 'series' | 'instance';

/** UIDs of what an index row points at; as many as its level has. */
export interface IndexedUids {
  readonly study: StudyInstanceUID;
  readonly series?: SeriesInstanceUID;
  readonly instance?: SOPInstanceUID;
}

const instanceShards = 8;

function shardOf(value: string): string {
  const [first = 0] = createHash('sha1').update(value).digest();
  return (first % instanceShards).toString(16).padStart(2, '0');
}

/** SOPInstanceUID, of which each instance has another: the one attribute whose values are spread. */
const shardedTag = '00080018';

/**
 * Partition of the index of one attribute; the UIDs of instances are spread over shards.
 *
 * @param value - as `encodeValue` spells it.
 */
export function indexPartitionKey(
  partition: Partition,
  level: Level,
  tag: Tag,
  value: string,
): string {
  const shard = level === 'instance' && tag === shardedTag ? shardOf(value) : '00';
  return [partition, level, tag, shard].join(separator);
}

const valueCharacters = 200;

/**
 * Spells a normalised value inside a key: every character but ASCII letters, digits, space and
 * `. , ^ = _ -` becomes `!` and four hex digits, so a prefix of a value is a prefix of its key.
 * So does a comma at the beginning, where Azurite takes it for the end of the PartitionKey when the row
 * is written together with others. Long values are cut: readers compare the truth.
 */
export function encodeValue(value: string): string {
  if (/^(?!,)[A-Za-z0-9 .,^=_-]*$/.test(value)) return value.slice(0, valueCharacters);
  let text = '';
  for (let index = 0; index < value.length; index++) {
    const character = value.charAt(index);
    const plain = index === 0 ? /[A-Za-z0-9 .^=_-]/ : /[A-Za-z0-9 .,^=_-]/;
    const spelled = plain.test(character)
      ? character
      : `!${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    if (text.length + spelled.length > valueCharacters) return text;
    text += spelled;
  }
  return text;
}

/** The value that a key spells, as far as it was not cut. */
export function decodeValue(encoded: string): string {
  return encoded.replace(/!([0-9a-f]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Whether a value can be no longer than its key says. */
export function isWholeValue(encoded: string): boolean {
  return encoded.length <= valueCharacters - '!0000'.length;
}

/** Partition of the words of all attributes of a level: those of one write go into it together. */
export function wordPartitionKey(partition: Partition, level: Level): string {
  return [partition, level].join(separator);
}

/** Begins the keys of all rows with the same beginning of an ending. */
export function wordsOf(tag: Tag, beginning: string): string {
  return tag + beginning;
}

/** A row for an ending of a value: the attribute stands before it. */
export function wordRowKey(tag: Tag, row: IndexRowKey): string {
  return tag + indexRowKey(row);
}

/** Reads a row for an ending: `value` is the ending. */
export function parseWordRowKey(rowKey: string): IndexRowKey & { readonly tag: Tag } {
  return { tag: rowKey.slice(0, 8) as Tag, ...parseIndexRowKey(rowKey.slice(8)) };
}

export interface IndexRowKey {
  /** As `encodeValue` spells it. */
  readonly value: string;
  /** When the study, series or instance was first stored: newest sort first. */
  readonly created: Ulid;
  readonly uids: IndexedUids;
  /** The write that gave the attribute this value; makes each row belong to one write. */
  readonly write: Ulid;
}

export function indexRowKey(row: IndexRowKey): string {
  return row.value + separator + orderWithinValue(row);
}

/** What follows the value in the key of a row: the rows of a value are in this order. */
export function orderWithinValue({ created, uids, write }: Omit<IndexRowKey, 'value'>): string {
  const names = [uids.study, uids.series, uids.instance].filter((uid) => uid !== undefined);
  return [invertUlid(created), ...names, write].join(separator);
}

export function parseIndexRowKey(rowKey: string): IndexRowKey {
  const fields = rowKey.split(separator);
  const [value = '', inverted = ''] = fields;
  const [study = '', series, instance] = fields.slice(2, -1);
  return {
    value,
    created: invertUlid(inverted as Ulid) as Ulid,
    uids: {
      study: study as StudyInstanceUID,
      ...(series !== undefined && { series: series as SeriesInstanceUID }),
      ...(instance !== undefined && { instance: instance as SOPInstanceUID }),
    },
    write: (fields.at(-1) ?? '') as Ulid,
  };
}

/** The rows of exactly this value. */
export function rowsOfValue(value: string): { readonly from: string; readonly to: string } {
  return { from: value + separator, to: value + afterSeparator };
}

/** The rows of values that begin with this text. */
export function rowsOfPrefix(prefix: string): Omit<RowRange, 'partitionKey'> {
  return { from: prefix, to: prefix + afterEveryCharacter };
}

/** The rows of values from one to another, inclusive; open where left out. */
export function rowsOfInterval(from?: string, to?: string): Omit<RowRange, 'partitionKey'> {
  return {
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to: to + afterSeparator }),
  };
}

/** What a partition of the two tables of indexes is of. */
export type IndexPartition =
  | {
      readonly kind: 'values';
      readonly partition: Partition;
      readonly level: Level;
      readonly tag: Tag;
    }
  | { readonly kind: 'words'; readonly partition: Partition; readonly level: Level }
  | { readonly kind: 'browse'; readonly partition: Partition };

/** Reads what `indexPartitionKey`, `wordPartitionKey` and `browsePartitionKey` make; `undefined` for others. */
export function parseIndexPartitionKey(partitionKey: string): IndexPartition | undefined {
  const [name = '', levelName, tagName = '', ...shards] = partitionKey.split(separator);
  const partition = name as Partition;
  if (partitionKey === browsePartitionKey(partition)) return { kind: 'browse', partition };
  const level = (['study', 'series', 'instance'] as const).find((one) => one === levelName);
  if (level === undefined) return undefined;
  if (partitionKey === wordPartitionKey(partition, level))
    return { kind: 'words', partition, level };
  const tag = parseTag(tagName);
  return tag === undefined || shards.length !== 1
    ? undefined
    : { kind: 'values', partition, level, tag };
}

/** Partition of the browse index: covering copies of the study rows, newest first. */
export function browsePartitionKey(partition: Partition): string {
  return [partition, 'study', 'newest'].join(separator);
}

export function browseRowKey(created: Ulid, study: StudyInstanceUID): string {
  return invertUlid(created) + separator + study;
}

/** The copies of studies made between two moments, both included. */
export function browseRowsBetween(partition: Partition, oldest: Ulid, newest: Ulid): RowRange {
  return {
    partitionKey: browsePartitionKey(partition),
    from: invertUlid(newest),
    to: invertUlid(oldest) + afterSeparator,
  };
}

export function parseBrowseRowKey(rowKey: string): { created: Ulid; study: StudyInstanceUID } {
  const [inverted = '', study = ''] = rowKey.split(separator);
  return { created: invertUlid(inverted as Ulid) as Ulid, study: study as StudyInstanceUID };
}

// ---- log -----------------------------------------------------------------------------------

/** What concerns the whole archive: its layout, and how far jobs have come. */
export const logHeadPartition = 'head';
export const logLayoutKey = 'layout';
/** How far recovery has cleared a shard of what changes left behind. */
export function logClearedKey(shard: number): string {
  return `cleared${separator}${String(shard).padStart(2, '0')}`;
}
/** How far the sweep of what nobody needs has come. */
export const logSweptKey = 'swept';

/** The intents of a shard, and its tail. */
export function logPartitionKey(shard: number): string {
  return `log${separator}${String(shard).padStart(2, '0')}`;
}

/** After the keys of all intents. */
export const logTailRowKey = 'tail';
/** After the keys of all intents, before that of the tail. */
const afterIntents = ':';

export function logRowKey(sequence: number): string {
  return String(sequence).padStart(16, '0');
}

/** The intents of a shard from a sequence on, up to another and that included. */
export function intentRows(shard: number, from: number, to?: number): RowRange {
  return {
    partitionKey: logPartitionKey(shard),
    from: logRowKey(from),
    to: to === undefined ? afterIntents : logRowKey(to + 1),
  };
}

// ---- query tags ----------------------------------------------------------------------------

/** Rows of the table `registry`: the list of query tags. */
export const queryTagsPartition = 'querytags';
export const queryTagListKey = 'list';

/** The values that could not be indexed when a query tag was added. */
export function tagErrorsPartitionKey(tag: Tag): string {
  return `querytagerrors|${tag}`;
}

/** In order of the pieces of work in which they were met, then of the log. */
export function tagErrorRowKey(slice: number, sequence: number): string {
  return [String(slice).padStart(9, '0'), logRowKey(sequence)].join(separator);
}
