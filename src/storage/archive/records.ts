/**
 * What the catalog knows of studies, series and instances, and how that is written into the
 * properties of rows and read back.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DataSet } from '../../dicom/data-set.js';
import { decodeFrameIndex, encodeFrameIndex, type FrameIndex } from '../../dicom/frames.js';
import type { BulkValue } from '../../dicom/part10.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPClassUID,
  SOPInstanceUID,
  StudyInstanceUID,
  TransferSyntaxUID,
} from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import type { Entity, Properties } from '../table-store.js';
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
  /** Position in the log of the store since which the instance has been there without a break. */
  readonly since: number;
  readonly sopClass: SOPClassUID;
  /** Modality, empty where the instance tells none. Rows of old do not have it. */
  readonly modality?: string;
  readonly transferSyntax: TransferSyntaxUID;
  /** Bytes of the Part 10 file. */
  readonly length: number;
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

/** The properties of a study row, and of its copy in the browse index. */
export function encodeStudy(record: StudyRecord): Properties {
  const { attributes, ...state } = record;
  return { attributes: JSON.stringify(attributes), state: JSON.stringify(state) };
}

/** Characters that a study or series takes in its row, besides its attributes. */
export function stateCharacters(record: StudyRecord | SeriesRecord): number {
  return JSON.stringify({ ...record, attributes: undefined }).length;
}

export function decodeStudy(entity: Entity): StudyRecord {
  const attributes = parseJson(entity, 'attributes');
  return { ...parseJson(entity, 'state'), attributes } as unknown as StudyRecord;
}

/** The properties of a series row. */
export function encodeSeries(record: SeriesRecord): Properties {
  const { attributes, ...state } = record;
  return { attributes: JSON.stringify(attributes), state: JSON.stringify(state) };
}

export function decodeSeries(entity: Entity): SeriesRecord {
  const attributes = parseJson(entity, 'attributes');
  return { ...parseJson(entity, 'state'), attributes } as unknown as SeriesRecord;
}

// ---- instances -------------------------------------------------------------------------------

/** A property holds 64 KiB; the data set takes as many as it needs. */
const chunkBytes = 60 * 1024;

/** Beyond this, compressed, a data set or an index goes to a blob instead of the row. */
export const rowBytes = { metadata: 640 * 1024, index: 60 * 1024 } as const;

/** The names of the properties of an instance row that are not its data set. */
export const instanceProperties = [
  'version',
  'sequence',
  'since',
  'sopClass',
  'modality',
  'transferSyntax',
  'length',
] as const;
export const indexProperties = [...instanceProperties, 'index', 'indexInBlob'] as const;

/** Compresses the DICOM JSON of a data set. */
export function compressMetadata(json: string): Buffer {
  return gzipSync(json, { level: 6 });
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
    since: BigInt(record.since),
    sopClass: record.sopClass,
    ...(record.modality !== undefined && { modality: record.modality }),
    transferSyntax: record.transferSyntax,
    length: BigInt(record.length),
  };
  if (index.length > rowBytes.index) properties['indexInBlob'] = true;
  else properties['index'] = index;
  if (metadata.length > rowBytes.metadata) properties['metadataInBlob'] = true;
  else {
    for (let start = 0, part = 0; start < metadata.length; start += chunkBytes, part++) {
      properties[`metadata${part}`] = metadata.subarray(start, start + chunkBytes);
    }
  }
  return properties;
}

export function decodeInstance(
  uids: InstanceUids,
  { properties }: Pick<Entity, 'properties'>,
): InstanceRecord {
  const modality = properties['modality'];
  return {
    ...uids,
    version: properties['version'] as Ulid,
    sequence: Number(properties['sequence']),
    since: Number(properties['since']),
    sopClass: properties['sopClass'] as SOPClassUID,
    ...(typeof modality === 'string' && { modality }),
    transferSyntax: properties['transferSyntax'] as TransferSyntaxUID,
    length: Number(properties['length']),
  };
}

/** The compressed DICOM JSON in a row; `undefined` when it lies in a blob. */
export function metadataInRow({ properties }: Entity): Buffer | undefined {
  if (properties['metadataInBlob'] === true) return undefined;
  const parts: Uint8Array[] = [];
  for (let part = 0; ; part++) {
    const bytes = properties[`metadata${part}`];
    if (!(bytes instanceof Uint8Array)) break;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** The compressed index in a row; `undefined` when it lies in a blob. */
export function indexInRow({ properties }: Entity): Uint8Array | undefined {
  const index = properties['index'];
  return index instanceof Uint8Array ? index : undefined;
}
