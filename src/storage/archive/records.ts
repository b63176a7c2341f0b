/**
 * What the catalog knows of studies, series and instances, and how that is written into the
 * properties of rows and read back.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DataSet } from '../../dicom/data-set.js';
import { decodeFrameIndex, encodeFrameIndex, type FrameIndex } from '../../dicom/frames.js';
import type { BulkValue } from '../../dicom/part10/part10.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPClassUID,
  SOPInstanceUID,
  StudyInstanceUID,
  TransferSyntaxUID,
} from '../../dicom/uid.js';
import type { Spelling } from '../../dicom/spelling.js';
import { ServiceError } from '../../errors.js';
import type { Entity, Properties } from '../table-store.js';
import { decodeText, encodeText, joinChunks, toChunks } from './long-properties.js';
import { indexedAttributes, levelAttributes } from './index/attributes.js';
import type { Ulid } from './ulid.js';

/** How often each value occurs among the rows below. */
export type Tally = Readonly<Record<string, number>>;

/** Per tag: the key-encoded values that are indexed, each with the write that indexed it. */
export type Indexes = Readonly<Record<string, Readonly<Record<string, Ulid>>>>;

export interface StudyRecord {
  readonly study: StudyInstanceUID;
  /** The write that made the study; a study that was deleted and stored again has another one. */
  readonly created: Ulid;
  /** Grows with every change in the study. */
  readonly revision: number;
  /** The write that changed the study last. */
  readonly write: Ulid;
  readonly attributes: DataSet;
  /** The instance stored last. */
  readonly newest: Omit<InstanceUids, 'study'>;
  readonly series: number;
  readonly instances: number;
  /** Series per modality. */
  readonly modalities: Tally;
  /** Instances per SOP class. */
  readonly sopClasses: Tally;
  readonly indexes: Indexes;
}

export interface SeriesRecord {
  readonly study: StudyInstanceUID;
  readonly series: SeriesInstanceUID;
  readonly created: Ulid;
  readonly revision: number;
  readonly attributes: DataSet;
  readonly newest: SOPInstanceUID;
  readonly instances: number;
  readonly sopClasses: Tally;
  /** Instances per modality, of which a series may mix several. Rows of old do not have it. */
  readonly modalities?: Tally;
  readonly indexes: Indexes;
}

/** An instance row without its data set. */
export interface InstanceRecord extends InstanceUids {
  readonly version: Ulid;
  /** Position of this version in the log. */
  readonly sequence: number;
  readonly sopClass: SOPClassUID;
  /** Modality, empty where the instance tells none. Rows of old do not have it. */
  readonly modality?: string;
  readonly transferSyntax: TransferSyntaxUID;
  /** Bytes of the Part 10 file. */
  readonly length: number;
  /** Of an instance that was updated: the version before its first update, whose row and files are kept. */
  readonly original?: Ulid;
  /** Bytes of the file of that version. */
  readonly originalLength?: number;
  /** The job that updated it last. */
  readonly update?: string;
}

/** Where frames and bulk values lie in the file. */
export interface InstanceIndex {
  readonly frames: FrameIndex | undefined;
  readonly bulk: readonly BulkValue[];
}

// ---- studies and series ----------------------------------------------------------------------

type Json = Readonly<Record<string, unknown>>;

function parseJson(entity: Entity, property: string): Json {
  const text = entity.properties[property];
  if (typeof text !== 'string') {
    throw new ServiceError('storage-corrupt', `A row lacks its property ${property}.`);
  }
  return JSON.parse(text) as Json;
}

/** What a record has of every archive, and what it has for the tags that were added to this one. */
type OwnAndAdded<Of> = { readonly own: Of; readonly added: Of };

function parted<Of>(
  of: Readonly<Record<string, Of>>,
  isOwn: (tag: string) => boolean,
): OwnAndAdded<Readonly<Record<string, Of>>> {
  const entries = Object.entries(of);
  const added = entries.filter(([tag]) => !isOwn(tag));
  if (added.length === 0) return { own: of, added: {} };
  return {
    own: Object.fromEntries(entries.filter(([tag]) => isOwn(tag))),
    added: Object.fromEntries(added),
  };
}

/** Attributes and indexes of a record; those of added tags have properties of their own, and room of their own. */
function partedRecord(level: 'study' | 'series', { attributes, indexes }: Parted) {
  const isOwn = (tag: string) => (levelAttributes[level] as readonly string[]).includes(tag);
  const isIndexed = (tag: string) =>
    indexedAttributes.some((one) => one.level === level && one.tag === tag);
  return { attributes: parted(attributes, isOwn), indexes: parted(indexes, isIndexed) };
}

type Parted = Pick<StudyRecord, 'attributes' | 'indexes'>;

function encodeRecord(level: 'study' | 'series', record: Parted): Properties {
  const { attributes, indexes } = partedRecord(level, record);
  const hasAdded = [attributes, indexes].some(({ added }) => Object.keys(added).length > 0);
  const added = { attributes: attributes.added, indexes: indexes.added };
  return {
    attributes: JSON.stringify(attributes.own),
    state: JSON.stringify({ ...record, attributes: undefined, indexes: indexes.own }),
    ...(hasAdded && encodeText('added', JSON.stringify(added))),
  };
}

/** Characters that a study or series takes in its row. */
export function recordLength({ attributes, state, added }: Properties): number {
  const texts = [attributes, state, added];
  return texts.reduce<number>((sum, text) => sum + (typeof text === 'string' ? text.length : 0), 0);
}

function decodeRecord(entity: Entity): Json {
  const attributes = parseJson(entity, 'attributes');
  const state = parseJson(entity, 'state');
  const text = decodeText('added', entity.properties);
  if (text === undefined) return { ...state, attributes };
  const added = JSON.parse(text) as Parted;
  return {
    ...state,
    attributes: { ...attributes, ...added.attributes },
    indexes: { ...(state['indexes'] as Indexes), ...added.indexes },
  };
}

/** The properties of a study row, and of its copy in the browse index, apart from the revision. */
export function encodeStudy(record: StudyRecord): Properties {
  const state: Parted & { readonly revision: undefined } = { ...record, revision: undefined };
  return encodeRecord('study', state);
}

/** Characters that a study or series takes in its row, besides its attributes and what was added. */
export function stateCharacters(record: StudyRecord | SeriesRecord): number {
  const { indexes } = partedRecord(
    'series' in record && typeof record.series === 'string' ? 'series' : 'study',
    record,
  );
  return JSON.stringify({ ...record, attributes: undefined, indexes: indexes.own }).length;
}

/** Reads a study row, or its copy: the revision of the row is that of the study. */
export function decodeStudy(entity: Entity): StudyRecord {
  const revision = Number(entity.properties['revision']);
  return { ...decodeRecord(entity), revision } as unknown as StudyRecord;
}

/**
 * What the row of a study is guarded by. The row stays when the study goes, so that no revision comes
 * again, and what was to be committed under an earlier one cannot be.
 */
export interface StudyGuard {
  /** `undefined` while the study has no row yet. */
  readonly etag: string | undefined;
  /** Grows with every write of the row; 0 while there is none. */
  readonly revision: number;
  /** The greatest sequence of a change that has been committed; 0 before the first. */
  readonly last: number;
  /** Intents that have been committed and of which the log may not say so yet. */
  readonly commits: readonly number[];
}

export const noGuard: StudyGuard = { etag: undefined, revision: 0, last: 0, commits: [] };
export const guardProperties = ['revision', 'last', 'commits'] as const satisfies readonly string[];

/** The properties of a study row; those of a study that is not there when there is no record. */
export function encodeStudyRow(
  record: StudyRecord | undefined,
  { revision, last, commits }: Omit<StudyGuard, 'etag'>,
): Properties {
  return {
    ...(record === undefined ? { gone: true } : encodeStudy(record)),
    ...{ revision, last: BigInt(last), commits: commits.join(' ') },
  };
}

export function decodeGuard(row: Entity | undefined): StudyGuard {
  if (row === undefined) return noGuard;
  const { revision, last, commits } = row.properties;
  return {
    etag: row.etag,
    revision: Number(revision),
    last: Number(last),
    commits: typeof commits === 'string' && commits !== '' ? commits.split(' ').map(Number) : [],
  };
}

/** The study of a row; `undefined` when the row says that there is none. */
export function decodeStudyRow(row: Entity | undefined): StudyRecord | undefined {
  return row === undefined || row.properties['gone'] === true ? undefined : decodeStudy(row);
}

/** What of a study tells one state of it from another. */
export type StudyVersion = Pick<StudyRecord, 'created' | 'revision' | 'write'>;

export const versionProperties = ['gone', 'revision', 'state'] as const satisfies readonly string[];

/** The version in a study row, of which `versionProperties` are enough; `undefined` as of `decodeStudyRow`. */
export function decodeStudyVersion(row: Entity | undefined): StudyVersion | undefined {
  if (row === undefined || row.properties['gone'] === true) return undefined;
  const { created, write } = parseJson(row, 'state') as Pick<StudyRecord, 'created' | 'write'>;
  return { created, write, revision: Number(row.properties['revision']) };
}

/** The properties of a series row. */
export function encodeSeries(record: SeriesRecord): Properties {
  return encodeRecord('series', record);
}

export function decodeSeries(entity: Entity): SeriesRecord {
  return decodeRecord(entity) as unknown as SeriesRecord;
}

// ---- instances -------------------------------------------------------------------------------

/** Beyond this, compressed, a data set or an index goes to a blob instead of the row. */
export const rowBytes = { metadata: 640 * 1024, index: 60 * 1024 } as const;

/** The names of the properties of an instance row that are not its data set. */
export const instanceProperties = [
  'version',
  'sequence',
  'sopClass',
  'modality',
  'transferSyntax',
  'length',
  'original',
  'originalLength',
  'update',
] as const;
export const indexProperties = [...instanceProperties, 'index', 'indexInBlob'] as const;

/** A stored data set: its DICOM JSON, and how its file spells values that the JSON has otherwise. */
export interface StoredMetadata {
  readonly json: string;
  /** Read only by those who show it: most do not. */
  readonly spelling: () => Spelling;
}

/** Stands between the JSON of the data set and that of its spelling, if there is one; JSON has none. */
export const beforeSpelling = '\n';

/** Compresses the DICOM JSON of a data set. */
export function compressMetadata(json: string): Buffer {
  return gzipSync(json, { level: 6 });
}

/** Parts what was compressed. */
export function readMetadata(text: string): StoredMetadata {
  const end = text.indexOf(beforeSpelling);
  if (end < 0) return { json: text, spelling: () => ({}) };
  return {
    json: text.slice(0, end),
    spelling: () => JSON.parse(text.slice(end)) as Spelling,
  };
}

export function compressIndex(index: InstanceIndex): Buffer {
  const frames = index.frames && Buffer.from(encodeFrameIndex(index.frames)).toString('base64');
  return gzipSync(JSON.stringify({ frames, bulk: index.bulk }));
}

export function decompressIndex(bytes: Uint8Array): InstanceIndex {
  const { frames, bulk } = JSON.parse(gunzipSync(bytes).toString()) as {
    frames?: string;
    bulk: readonly BulkValue[];
  };
  return {
    frames: frames === undefined ? undefined : decodeFrameIndex(Buffer.from(frames, 'base64')),
    bulk,
  };
}

/** Of the object for one bulk value. */
const bulkValueBytes = 160;

/**
 * About how many bytes of memory an index takes. Compressed it may take a thousandth: fragments of one length
 * are told in a few bytes, however many.
 */
export function heldIndexBytes({ frames, bulk }: InstanceIndex): number {
  const paths = bulk.reduce((sum, { path }) => sum + path.length, 0);
  const values = bulk.length * bulkValueBytes + paths;
  if (frames?.kind !== 'encapsulated') return values;
  const { fragments, perFrame } = frames;
  const numbers = fragments.length + (typeof perFrame === 'number' ? 0 : perFrame.length);
  return values + numbers * 8;
}

export interface CompressedInstance {
  readonly record: InstanceRecord;
  /** Compressed DICOM JSON; in the row unless larger than `rowBytes.metadata`. */
  readonly metadata: Uint8Array;
  readonly index: Uint8Array;
}

/** The properties of an instance row. */
export function encodeInstance({ record, metadata, index }: CompressedInstance): Properties {
  const properties: Record<string, Properties[string]> = {
    version: record.version,
    sequence: BigInt(record.sequence),
    sopClass: record.sopClass,
    ...(record.modality !== undefined && { modality: record.modality }),
    transferSyntax: record.transferSyntax,
    length: BigInt(record.length),
    ...(record.original !== undefined && { original: record.original }),
    ...(record.originalLength !== undefined && { originalLength: BigInt(record.originalLength) }),
    ...(record.update !== undefined && { update: record.update }),
  };
  if (index.length > rowBytes.index) properties['indexInBlob'] = true;
  else properties['index'] = index;
  if (metadata.length > rowBytes.metadata) properties['metadataInBlob'] = true;
  else Object.assign(properties, toChunks('metadata', metadata));
  return properties;
}

export function decodeInstance(
  uids: InstanceUids,
  { properties }: Pick<Entity, 'properties'>,
): InstanceRecord {
  const { modality, original, originalLength, update } = properties;
  return {
    ...uids,
    version: properties['version'] as Ulid,
    sequence: Number(properties['sequence']),
    sopClass: properties['sopClass'] as SOPClassUID,
    ...(typeof modality === 'string' && { modality }),
    transferSyntax: properties['transferSyntax'] as TransferSyntaxUID,
    length: Number(properties['length']),
    ...(typeof original === 'string' && { original: original as Ulid }),
    ...(originalLength !== undefined && { originalLength: Number(originalLength) }),
    ...(typeof update === 'string' && { update }),
  };
}

/** The compressed DICOM JSON in a row; `undefined` when it lies in a blob. */
export function metadataInRow({ properties }: Entity): Buffer | undefined {
  return properties['metadataInBlob'] === true ? undefined : joinChunks('metadata', properties);
}

/** The compressed index in a row; `undefined` when it lies in a blob. */
export function indexInRow({ properties }: Entity): Uint8Array | undefined {
  const index = properties['index'];
  return index instanceof Uint8Array ? index : undefined;
}
