/**
 * The files of the versions of instances: the Part 10 file as it was received, and beside it the DICOM JSON and
 * the index of frames where its row has no room for them. Nothing of a version ever changes.
 */
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import { BoundedCache } from '../../bounded-cache.js';
import type { DataSet } from '../../dicom/data-set.js';
import type { InstanceUids } from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import type { BlobContent, BlobStore, ByteRange, ContainerName } from '../blob-store.js';
import { allBytes } from '../body.js';
import type { InstanceRow } from './catalog.js';
import type { Partition } from './keys.js';
import { blobName, type BlobExtension } from './blob-name.js';
import {
  decompressIndex,
  heldIndexBytes,
  indexInRow,
  metadataInRow,
  readMetadata,
  type InstanceIndex,
  type StoredMetadata,
} from './records.js';
import type { Ulid } from './ulid.js';

const inflate = promisify(gunzip);
/** Compressed, of a data set that is inflated at once: handing it to a thread takes ten times as long. */
const smallBytes = 4 * 1024;
/** Of the indexes that are kept for the next frame: room for one of a million fragments. */
const keptIndexBytes = 12 * 1024 ** 2;

/** A version of an instance. */
export interface VersionUids extends InstanceUids {
  readonly version: Ulid;
}

/** The container of each kind of file. */
export const containerOf: Readonly<Record<BlobExtension, ContainerName>> = {
  dcm: 'instances',
  'metadata.json.gz': 'derived',
  'index.json.gz': 'derived',
};

/** Removes all files of some versions. */
export async function removeFiles(
  blobs: BlobStore,
  partition: Partition,
  versions: readonly VersionUids[],
): Promise<void> {
  const names = (extension: BlobExtension) =>
    versions.map((one) => blobName(partition, one, one.version, extension));
  await Promise.all([
    blobs.delete('instances', names('dcm')),
    blobs.delete('derived', [...names('metadata.json.gz'), ...names('index.json.gz')]),
  ]);
}

export class InstanceFiles {
  readonly #blobs: BlobStore;
  /** By version. */
  readonly #indexes = new BoundedCache<InstanceIndex>(keptIndexBytes);

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Streams a file of a version to its blob; answers the number of bytes. */
  async put(
    partition: Partition,
    uids: VersionUids,
    extension: BlobExtension,
    body: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<number> {
    const name = blobName(partition, uids, uids.version, extension);
    const options = signal && { signal };
    const { length } = await this.#blobs.put(containerOf[extension], name, body, options);
    return length;
  }

  /**
   * Opens the file of an instance, or a range of it.
   *
   * @returns `undefined` when the instance has been deleted or replaced since its row was read.
   */
  async open(
    partition: Partition,
    uids: VersionUids,
    range?: ByteRange,
    signal?: AbortSignal,
  ): Promise<Omit<BlobContent, 'etag'> | undefined> {
    const name = blobName(partition, uids, uids.version, 'dcm');
    return await this.#blobs.get('instances', name, range, signal && { signal });
  }

  /** The data set of an instance, from a row read with all its properties. */
  async metadata(partition: Partition, row: InstanceRow): Promise<StoredMetadata> {
    const compressed =
      metadataInRow(row.entity) ?? (await this.#derived(partition, row, 'metadata.json.gz'));
    const json =
      compressed.length <= smallBytes ? gunzipSync(compressed) : await inflate(compressed);
    return readMetadata(json.toString());
  }

  /** Its DICOM JSON as text. */
  async metadataText(partition: Partition, row: InstanceRow): Promise<string> {
    const { json } = await this.metadata(partition, row);
    return json;
  }

  /** Its DICOM JSON, read. */
  async dataSet(partition: Partition, row: InstanceRow): Promise<DataSet> {
    return JSON.parse(await this.metadataText(partition, row)) as DataSet;
  }

  /** Where frames and bulk values lie, from a row read with `indexProperties`. */
  async index(partition: Partition, row: InstanceRow): Promise<InstanceIndex> {
    const { version, instance } = row.record;
    const key = version + instance;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const compressed =
      indexInRow(row.entity) ?? (await this.#derived(partition, row, 'index.json.gz'));
    const index = decompressIndex(compressed);
    this.#indexes.set(key, index, heldIndexBytes(index));
    return index;
  }

  async #derived(
    partition: Partition,
    { record }: InstanceRow,
    extension: BlobExtension,
  ): Promise<Buffer> {
    const name = blobName(partition, record, record.version, extension);
    const blob = await this.#blobs.get('derived', name);
    if (blob === undefined) {
      throw new ServiceError('storage-corrupt', `A derived blob (${extension}) is missing.`);
    }
    return await allBytes(blob.body);
  }
}
