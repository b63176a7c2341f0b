/**
 * The archive: instances, their rows and the ways to find them, over the two storage ports. The use
 * cases of DICOMweb speak to it and to nothing below.
 */
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { DataSet } from '../../dicom/data-set.js';
import { stringifyDataSet } from '../../dicom/json.js';
import type { Tag } from '../../dicom/tag.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPClassUID,
  StudyInstanceUID,
  TransferSyntaxUID,
} from '../../dicom/uid.js';
import { BoundedCache } from '../../bounded-cache.js';
import { ServiceError } from '../../errors.js';
import type { BlobContent, BlobStore, ByteRange } from '../blob-store.js';
import { allBytes } from '../body.js';
import { systemRuntime, type Runtime } from '../runtime.js';
import type { TableStore } from '../table-store.js';
import { allOf } from './all-of.js';
import { BrowseIndex } from './index/browse-index.js';
import { modalityIn, type NewInstance } from './commit/catalog-plan.js';
import { Catalog, type InstancePaging, type InstanceRow } from './catalog.js';
import { ChangeFeed } from './log/change-feed.js';
import { ChangeLog } from './log/change-log.js';
import { readTotals } from './log/read-totals.js';
import type { Totals } from './log/totals.js';
import { blobName, type BlobExtension, type Partition } from './keys.js';
import {
  compressIndex,
  compressMetadata,
  decompressIndex,
  indexInRow,
  metadataInRow,
  readMetadata,
  rowBytes,
  heldIndexBytes,
  type InstanceIndex,
  type InstanceRecord,
  type StoredMetadata,
} from './records.js';
import { Originals } from './originals.js';
import { QueryTagList } from './query-tag-list.js';
import { recover, type RecoveryReport } from './commit/recovery.js';
import { SearchIndex } from './index/search-index.js';
import { hasHappened, openAmong, settle, type SettleParts } from './commit/settle.js';
import { type DeleteScope } from './commit/delete-commit.js';
import { type CommitResult } from './commit/store-commit.js';
import { StudyWriter, type StoreMode } from './commit/study-writer.js';
import { TagIndexer } from './tagging/tag-indexer.js';
import { defaultTiming, type ArchiveTiming } from './timing.js';
import { ulidMaker, type Ulid } from './ulid.js';

const inflate = promisify(gunzip);
/** Compressed, of a data set that is inflated at once: handing it to a thread takes ten times as long. */
const smallBytes = 4 * 1024;

export interface ArchiveOptions {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
  /** `defaultTiming` when left out. */
  readonly timing?: ArchiveTiming;
  readonly runtime?: Runtime;
}

/** An instance that has been received and judged, and whose file is stored or about to be. */
export interface StoredFile {
  readonly uids: InstanceUids;
  readonly version: Ulid;
  readonly sopClass: SOPClassUID;
  readonly transferSyntax: TransferSyntaxUID;
  /** Bytes of the file. */
  readonly length: number;
  /** All of it; or, beside `metadata`, what `condense` keeps of it. */
  readonly dataSet: DataSet;
  /** Its DICOM JSON, when that has been compressed already. */
  readonly metadata?: Uint8Array;
  readonly index: InstanceIndex;
  /** Settles when the file is stored; it is there already when left out. */
  readonly uploaded?: Promise<unknown>;
}

/** What an update tells of the new version of an instance, which is a `StoredFile` as any other. */
export interface FileUpdate {
  /** The row of the version that the new one was made of, with all its properties. */
  readonly of: InstanceRow;
  readonly changed: ReadonlySet<Tag>;
  /** The job that updates it. */
  readonly job: string;
}

/** Writers that are kept for their knowledge of a study's rows. */
const keptWriters = 1000;
/** A study is written for a while, then seldom again. */
const keptMilliseconds = 5 * 60_000;
/** Of the indexes that are kept for the next frame: room for one of a million fragments. */
const keptIndexBytes = 12 * 1024 ** 2;

/** The record of an updated instance, which knows of its original, and what the commit needs besides. */
function updated(
  record: NewInstance['record'],
  { of, changed, job }: FileUpdate,
): Pick<NewInstance, 'record' | 'update'> {
  const { version, original = version } = of.record;
  return {
    record: { ...record, original, update: job },
    update: { of: version, changed, row: of.entity.properties },
  };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'storage-unavailable';
}

export class Archive {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
  readonly catalog: Catalog;
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
  readonly feed: ChangeFeed;
  readonly queryTags: QueryTagList;
  readonly tagIndexer: TagIndexer;
  readonly originals: Originals;
  readonly #log: ChangeLog;
  /** By version, of which nothing ever changes. */
  readonly #indexes = new BoundedCache<InstanceIndex>(keptIndexBytes);
  readonly #settling: SettleParts;
  readonly #runtime: Runtime;
  readonly #writers = new Map<string, StudyWriter>();
  readonly #background = new Set<Promise<void>>();
  /** Names a new version of an instance. */
  readonly newVersion: () => Ulid;
  /** Ends the waits of work that is in no hurry; none are begun while the archive is being closed. */
  readonly #waits = new Set<() => void>();
  #isClosing = false;

  constructor({ tables, blobs, timing = defaultTiming, runtime = systemRuntime }: ArchiveOptions) {
    this.tables = tables;
    this.blobs = blobs;
    this.catalog = new Catalog(tables);
    this.index = new SearchIndex(tables);
    this.browse = new BrowseIndex(tables, runtime);
    const { catalog, index, browse } = this;
    this.#settling = { tables, blobs, catalog, index, browse, timing, runtime };
    this.feed = new ChangeFeed(this.#settling);
    this.tagIndexer = new TagIndexer(
      this.#settling,
      async (partition, row) => await this.metadataText(partition, row),
    );
    this.queryTags = new QueryTagList(tables, runtime);
    this.originals = new Originals(tables, catalog);
    this.#log = new ChangeLog(tables, runtime);
    this.#runtime = runtime;
    this.newVersion = ulidMaker(() => tables.now(), runtime.random);
  }

  // ---- store ---------------------------------------------------------------------------------

  /** Reads ahead the rows of a study that is about to be written. */
  expect(partition: Partition, study: StudyInstanceUID): void {
    this.#run(this.#writer(partition, study).warm());
  }

  /**
   * Streams the file of a new version to its blob. Nobody sees it before `store` commits it.
   *
   * @returns the number of bytes.
   * @throws whatever `body` throws; then nothing is stored.
   */
  async putFile(
    partition: Partition,
    uids: InstanceUids,
    version: Ulid,
    body: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<number> {
    const name = blobName(partition, uids, version, 'dcm');
    try {
      const { length } = await this.blobs.put('instances', name, body, signal && { signal });
      return length;
    } catch (error) {
      // The answer may be lost although the file is there.
      if (isUnavailable(error)) this.discardFiles(partition, [{ uids, version }]);
      throw error;
    }
  }

  /**
   * Commits an instance once its file is stored: from now on it can be retrieved and found. The intent
   * and the index rows go out while the file is on its way.
   *
   * @throws what `uploaded` rejects with; ServiceError `storage-unavailable` when it is not known what
   *   became of it.
   */
  async store(
    partition: Partition,
    file: StoredFile,
    mode: StoreMode = 'create',
    update?: FileUpdate,
  ): Promise<CommitResult> {
    const metadata = file.metadata ?? compressMetadata(stringifyDataSet(file.dataSet));
    const index = compressIndex(file.index);
    const { uids, version, sopClass, transferSyntax, length, dataSet } = file;
    const uploaded = allOf([
      file.uploaded,
      metadata.length > rowBytes.metadata
        ? this.#putDerived(blobName(partition, uids, version, 'metadata.json.gz'), metadata)
        : undefined,
      index.length > rowBytes.index
        ? this.#putDerived(blobName(partition, uids, version, 'index.json.gz'), index)
        : undefined,
    ]);
    // Whoever commits waits for it.
    uploaded.catch(() => undefined);
    const modality = modalityIn(dataSet);
    const record = { ...uids, version, sopClass, modality, transferSyntax, length };
    const instance: NewInstance = {
      ...{ record, dataSet, metadata, index },
      ...(update !== undefined && updated(record, update)),
    };
    return await this.#writer(partition, uids.study).store({ instance, uploaded }, mode);
  }

  /** Removes files that will never be committed. */
  discardFiles(
    partition: Partition,
    files: readonly { readonly uids: InstanceUids; readonly version: Ulid }[],
  ): void {
    this.#discard(
      partition,
      files.map(({ uids, version }) => ({ ...uids, version })),
    );
  }

  async #putDerived(name: string, bytes: Uint8Array): Promise<void> {
    // eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
    async function* body() {
      yield bytes;
    }
    await this.blobs.put('derived', name, body());
  }

  // ---- delete --------------------------------------------------------------------------------

  /**
   * Deletes a study, a series or an instance. When it answers, they can neither be retrieved nor
   * found; their files are removed behind.
   *
   * @param onProgress - told when some of many are gone.
   * @returns the number of instances deleted.
   */
  async delete(
    partition: Partition,
    study: StudyInstanceUID,
    scope: DeleteScope,
    onProgress: () => void = () => undefined,
  ): Promise<number> {
    return await this.#writer(partition, study).delete(scope, onProgress);
  }

  // ---- retrieve ------------------------------------------------------------------------------

  /** The pages of instance rows of a study or series, with their data sets. */
  instancesWithMetadata(
    partition: Partition,
    study: StudyInstanceUID,
    series?: SeriesInstanceUID,
    options: InstancePaging = {},
  ): AsyncGenerator<readonly InstanceRow[], void, undefined> {
    return this.catalog.instances(partition, study, series, 'all', options);
  }

  /**
   * Opens the file of an instance, or a range of it.
   *
   * @returns `undefined` when the instance has been deleted since its row was read.
   */
  async openFile(
    partition: Partition,
    record: InstanceRecord,
    range?: ByteRange,
    signal?: AbortSignal,
  ): Promise<Omit<BlobContent, 'etag'> | undefined> {
    const name = blobName(partition, record, record.version, 'dcm');
    return await this.blobs.get('instances', name, range, signal && { signal });
  }

  /** The data set of an instance, from a row read with all its properties. */
  async metadata(partition: Partition, row: InstanceRow): Promise<StoredMetadata> {
    const compressed =
      metadataInRow(row.entity) ??
      (await this.#getDerived(partition, row.record, 'metadata.json.gz'));
    const json =
      compressed.length <= smallBytes ? gunzipSync(compressed) : await inflate(compressed);
    return readMetadata(json.toString());
  }

  /** Its DICOM JSON as text. */
  async metadataText(partition: Partition, row: InstanceRow): Promise<string> {
    const { json } = await this.metadata(partition, row);
    return json;
  }

  /** Where frames and bulk values lie, from a row read with `indexProperties`. */
  async instanceIndex(partition: Partition, row: InstanceRow): Promise<InstanceIndex> {
    const { version, instance } = row.record;
    const key = `${version}|${instance}`;
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const compressed =
      indexInRow(row.entity) ?? (await this.#getDerived(partition, row.record, 'index.json.gz'));
    const index = decompressIndex(compressed);
    this.#indexes.set(key, index, heldIndexBytes(index));
    return index;
  }

  async #getDerived(
    partition: Partition,
    record: InstanceRecord,
    extension: BlobExtension,
  ): Promise<Buffer> {
    const blob = await this.blobs.get(
      'derived',
      blobName(partition, record, record.version, extension),
    );
    if (blob === undefined) {
      throw new ServiceError('storage-corrupt', `A derived blob (${extension}) is missing.`);
    }
    return await allBytes(blob.body);
  }

  // ---- count ---------------------------------------------------------------------------------

  /**
   * How many studies, series and instances a partition has, and their bytes; `undefined` where the log does not tell:
   * in an archive that was begun before it did, and in one that is too busy.
   */
  async totals(partition: Partition): Promise<Totals | undefined> {
    return await readTotals({ tables: this.tables, catalog: this.catalog }, partition);
  }

  // ---- housekeeping --------------------------------------------------------------------------

  /**
   * Settles what died, and clears away what changes have left behind.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async recover(): Promise<RecoveryReport> {
    return await recover(this.#settling);
  }

  /** Settles one intent of the log, whatever its age: for the check of the store. */
  async settle(sequence: number): Promise<void> {
    await settle(this.#settling, sequence);
  }

  /** Resolves when the work behind acknowledged requests has settled; for a clean shutdown. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const end of this.#waits) end();
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.#log.close();
    this.#isClosing = false;
  }

  /** Waits, but not while the archive is being closed. */
  async #pause(milliseconds: number): Promise<void> {
    if (this.#isClosing) return;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.#waits.add(end);
    await Promise.race([this.#runtime.rest(milliseconds), ended]);
    this.#waits.delete(end);
  }

  #writer(partition: Partition, study: StudyInstanceUID): StudyWriter {
    const key = `${partition}|${study}`;
    const writer =
      this.#writers.get(key) ??
      new StudyWriter(partition, study, {
        catalog: this.catalog,
        log: this.#log,
        index: this.index,
        browse: this.browse,
        runtime: this.#runtime,
        timing: this.#settling.timing,
        newUlid: this.newVersion,
        tags: this.queryTags,
        dataSetOf: async (row) => JSON.parse(await this.metadataText(partition, row)) as DataSet,
        openAmong: async (intents) => await openAmong(this.tables, intents),
        hasHappened: async (intent) => await hasHappened(this, intent),
        pause: async (milliseconds) => await this.#pause(milliseconds),
        behind: (work) => this.#run(work),
        discard: (instances) => {
          this.#discard(
            partition,
            instances.map(({ record }) => record),
          );
        },
      });
    // Re-inserted at the end: the map is ordered by last use.
    this.#writers.delete(key);
    this.#writers.set(key, writer);
    writer.used = this.tables.now();
    this.#forgetWriters();
    return writer;
  }

  /** Forgets writers that have been idle for long, and the one idle for longest when there are many. */
  #forgetWriters(): void {
    const latest = this.tables.now() - keptMilliseconds;
    for (const [key, writer] of this.#writers) {
      if (writer.used >= latest && this.#writers.size <= keptWriters) break;
      if (writer.idle) this.#writers.delete(key);
    }
  }

  #discard(
    partition: Partition,
    versions: readonly (InstanceUids & { readonly version: Ulid })[],
  ): void {
    if (versions.length === 0) return;
    const names = (extension: BlobExtension) =>
      versions.map((version) => blobName(partition, version, version.version, extension));
    this.#run(this.blobs.delete('instances', names('dcm')));
    this.#run(
      this.blobs.delete('derived', [...names('metadata.json.gz'), ...names('index.json.gz')]),
    );
  }

  /** Lets work go on behind the answer. What fails here is found again by the store check. */
  #run(work: Promise<unknown>): void {
    const settled: Promise<void> = work.then(
      () => undefined,
      () => undefined,
    );
    this.#background.add(settled);
    void settled.then(() => this.#background.delete(settled));
  }
}
