/**
 * The archive put together: instances, their rows and the ways to find them, over the two storage ports. What
 * one part does alone is asked of that part; what takes several stands here.
 */
import { stringifyDataSet } from '../../dicom/json.js';
import type { Tag } from '../../dicom/tag.js';
import type { DataSet } from '../../dicom/data-set.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPClassUID,
  StudyInstanceUID,
  TransferSyntaxUID,
} from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import type { BlobStore } from '../blob-store.js';
import { timeBudgets, type ArchiveTiming } from '../../time-budgets.js';
import { systemRuntime, type Runtime } from '../runtime.js';
import type { TableStore } from '../table-store.js';
import { allOf } from './all-of.js';
import { Background } from './background.js';
import { Catalog, type InstancePaging, type InstanceRow } from './catalog.js';
import type { NewInstance } from './commit/catalog-plan.js';
import type { DeleteScope, DeleteWatch } from './commit/delete-commit.js';
import { recover, type RecoveryReport } from './commit/recovery.js';
import { settle, type SettleParts } from './commit/settle.js';
import type { CommitResult, StoreMode } from './commit/store-commit.js';
import { StudyWriters } from './commit/study-writers.js';
import { InstanceFiles, removeFiles } from './files.js';
import { BrowseIndex } from './index/browse-index.js';
import { SearchIndex } from './index/search-index.js';
import type { Partition } from './keys.js';
import type { BlobExtension } from './blob-name.js';
import { ChangeFeed } from './log/change-feed.js';
import { ChangeLog } from './log/change-log.js';
import { Doubts } from './log/doubts.js';
import { readTotals } from './log/read-totals.js';
import type { Totals } from './log/totals.js';
import { Originals } from './originals.js';
import { QueryTagList } from './query-tag-list.js';
import { compressIndex, compressMetadata, rowBytes, type InstanceIndex } from './records.js';
import { TagIndexer } from './tagging/tag-indexer.js';
import { modalityIn } from './tallies.js';
import { ulidMaker, type Ulid } from './ulid.js';

export interface ArchiveOptions {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
  /** Those of `timeBudgets` when left out. */
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
  /** Aborted when it is not to be stored any more: unless that has happened, or may have, it never will. */
  readonly givenUp?: AbortSignal;
}

/** What an update tells of the new version of an instance, which is a `StoredFile` as any other. */
export interface FileUpdate {
  /** The row of the version that the new one was made of, with all its properties. */
  readonly of: InstanceRow;
  readonly changed: ReadonlySet<Tag>;
  /** The job that updates it. */
  readonly job: string;
}

/** The record of an updated instance, which knows of its original, and what the commit needs besides. */
function updated(
  record: NewInstance['record'],
  { of, changed, job }: FileUpdate,
): Pick<NewInstance, 'record' | 'update'> {
  const { version, length, original = version, originalLength = length } = of.record;
  return {
    record: { ...record, original, originalLength, update: job },
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
  readonly files: InstanceFiles;
  readonly index: SearchIndex;
  readonly browse: BrowseIndex;
  readonly feed: ChangeFeed;
  readonly queryTags: QueryTagList;
  readonly tagIndexer: TagIndexer;
  readonly originals: Originals;
  /** Names a new version of an instance. */
  readonly newVersion: () => Ulid;
  readonly #log: ChangeLog;
  readonly #settling: SettleParts;
  readonly #writers: StudyWriters;
  readonly #background: Background;

  constructor({ tables, blobs, timing = timeBudgets, runtime = systemRuntime }: ArchiveOptions) {
    this.tables = tables;
    this.blobs = blobs;
    this.catalog = new Catalog(tables);
    this.files = new InstanceFiles(blobs);
    this.index = new SearchIndex(tables);
    this.browse = new BrowseIndex(tables, runtime);
    this.queryTags = new QueryTagList(tables, runtime);
    this.originals = new Originals(tables, this.catalog);
    this.newVersion = ulidMaker(() => tables.now(), runtime.random);
    this.#log = new ChangeLog(tables, runtime);
    this.#background = new Background(runtime);
    const { catalog, files, index, browse } = this;
    this.#settling = { tables, blobs, catalog, index, browse, timing, runtime };
    this.feed = new ChangeFeed({ tables, catalog, timing });
    this.tagIndexer = new TagIndexer(this.#settling, files);
    this.#writers = new StudyWriters({
      ...this.#settling,
      files,
      log: this.#log,
      tags: this.queryTags,
      newUlid: this.newVersion,
      background: this.#background,
    });
  }

  // ---- store ---------------------------------------------------------------------------------

  /** Reads ahead the rows of a study that is about to be written. */
  expect(partition: Partition, study: StudyInstanceUID): void {
    this.#background.run(this.#writers.of(partition, study).warm());
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
    try {
      return await this.files.put(partition, { ...uids, version }, 'dcm', body, signal);
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
   * @throws what `uploaded` rejects with; the reason of `givenUp`; ServiceError `storage-unavailable` when it is not known what
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
    const beside = async (extension: BlobExtension, bytes: Uint8Array) =>
      await this.files.put(partition, { ...uids, version }, extension, oneChunk(bytes));
    const uploaded = allOf([
      file.uploaded,
      metadata.length > rowBytes.metadata ? beside('metadata.json.gz', metadata) : undefined,
      index.length > rowBytes.index ? beside('index.json.gz', index) : undefined,
    ]);
    // Whoever commits waits for it.
    uploaded.catch(() => undefined);
    const modality = modalityIn(dataSet);
    const record = { ...uids, version, sopClass, modality, transferSyntax, length };
    const instance: NewInstance = {
      ...{ record, dataSet, metadata, index },
      ...(update !== undefined && updated(record, update)),
    };
    const arriving = { instance, mode, uploaded, givenUp: file.givenUp };
    return await this.#writers.of(partition, uids.study).store(arriving);
  }

  /** Removes files that will never be committed. */
  discardFiles(
    partition: Partition,
    files: readonly { readonly uids: InstanceUids; readonly version: Ulid }[],
  ): void {
    if (files.length === 0) return;
    const versions = files.map(({ uids, version }) => ({ ...uids, version }));
    this.#background.run(removeFiles(this.blobs, partition, versions));
  }

  // ---- delete --------------------------------------------------------------------------------

  /**
   * Deletes a study, a series or an instance. When it answers, they can neither be retrieved nor
   * found; their files are removed behind.
   *
   * @returns the number of instances deleted.
   * @throws the reason of `givenUp`.
   */
  async delete(
    partition: Partition,
    study: StudyInstanceUID,
    scope: DeleteScope,
    watch: DeleteWatch = {},
  ): Promise<number> {
    return await this.#writers.of(partition, study).delete(scope, watch);
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

  // ---- count ---------------------------------------------------------------------------------

  /**
   * How many studies, series and instances a partition has, and their bytes; `undefined` where the log does not tell:
   * in an archive that was begun before it did, and in one that is too busy.
   */
  async totals(partition: Partition): Promise<Totals | undefined> {
    return await readTotals({ tables: this.tables, catalog: this.catalog }, partition);
  }

  /** Begins to watch which studies index rows may lie about. */
  async doubts(): Promise<Doubts> {
    return await Doubts.begin(this.tables);
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
    await this.#background.close(async () => await this.#log.close());
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
async function* oneChunk(bytes: Uint8Array) {
  yield bytes;
}
