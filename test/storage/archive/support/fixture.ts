/** Archives over stores that tests can look into. */
import { Archive, type StoredFile } from '../../../../src/storage/archive/archive.js';
import type { CommitResult } from '../../../../src/storage/archive/commit/store-commit.js';
import { timeBudgets, type ArchiveTiming } from '../../../../src/time-budgets.js';
import { connectStorage } from '../../../../src/storage/azure/connect.js';
import type { BlobStore, ContainerName } from '../../../../src/storage/blob-store.js';
import { MemoryBlobStore } from '../../../../src/storage/memory/memory-blob-store.js';
import {
  MemoryTableStore,
  type MemoryTableStoreOptions,
} from '../../../../src/storage/memory/memory-table-store.js';
import type { StorageCall } from '../../../../src/storage/storage-call.js';
import type { TableStore } from '../../../../src/storage/table-store.js';
import { testConnectionString, testPrefix } from '../../../support/storage/azurite.js';
import { bytes, fileOf, partition, studyUid, uidsOf, type Sample } from './samples.js';
import { WatchedTables } from './watched-tables.js';

/** Stores a file and commits it, as a request does. */
export async function put(archive: Archive, sample: Sample): Promise<CommitResult> {
  return await commit(archive, arriving(archive, sample));
}

/** An instance that has been received, and whose file is on its way. */
export function arriving(archive: Archive, sample: Sample): StoredFile {
  const version = archive.newVersion();
  archive.expect(partition, studyUid(sample.study));
  const uploaded = archive.putFile(partition, uidsOf(sample), version, bytes());
  uploaded.catch(() => undefined);
  return { ...fileOf(sample, version), uploaded };
}

/** Stores a file, without committing it. */
export async function upload(archive: Archive, sample: Sample): Promise<StoredFile> {
  const { uploaded, ...file } = arriving(archive, sample);
  await uploaded;
  return file;
}

export async function commit(archive: Archive, file: StoredFile): Promise<CommitResult> {
  return await archive.store(partition, file);
}

/** Stores the instances of one request, all at once. */
export async function putAll(
  archive: Archive,
  samples: readonly Sample[],
): Promise<readonly CommitResult[]> {
  return await Promise.all(
    samples
      .map((sample) => arriving(archive, sample))
      .map(async (file) => await commit(archive, file)),
  );
}

/** Blobs by name, for stores that can list them. */
export type ListBlobs = (container: ContainerName) => readonly string[];

/** What follows a commit follows at once, and what nobody needs is not kept. */
export const testTiming: ArchiveTiming = {
  ...timeBudgets,
  keepLeavings: -60_000,
  mergeFollowUps: 0,
};

/** Stores that several archives share, as processes do. */
export interface Shared {
  /** The view of the archive at the same position. */
  readonly tables: readonly WatchedTables[];
  readonly archives: readonly Archive[];
  readonly blobs: BlobStore;
  /** `undefined` where the store has no list. */
  readonly blobNames: ListBlobs | undefined;
  /** Every call that reached the storage, in order. */
  readonly calls: StorageCall[];
}

export function openOnMemory(
  processes: number,
  options: MemoryTableStoreOptions = {},
  beforeBlobCall?: (call: StorageCall) => Promise<void>,
): Shared {
  const calls: StorageCall[] = [];
  const onCall = (call: StorageCall) => calls.push(call);
  const inner = new MemoryTableStore({ onCall, ...options });
  const blobs = new MemoryBlobStore({
    onCall,
    ...(beforeBlobCall && { beforeCall: beforeBlobCall }),
  });
  const tables = views(inner, processes);
  return {
    tables,
    archives: tables.map((view) => new Archive({ tables: view, blobs, timing: testTiming })),
    blobs,
    blobNames: (container) => blobs.names(container),
    calls,
  };
}

/** One view of a store per process. */
function views(inner: TableStore, processes: number): readonly WatchedTables[] {
  const first = new WatchedTables(inner);
  const others = Array.from({ length: processes - 1 }, () => new WatchedTables(inner, first));
  return [first, ...others];
}

export async function openOnAzurite(processes: number): Promise<Shared> {
  const calls: StorageCall[] = [];
  const storage = connectStorage(
    { connectionString: testConnectionString() },
    { prefix: testPrefix(), onCall: (call) => calls.push(call) },
  );
  await storage.ensureCreated();
  calls.length = 0;
  const tables = views(storage.tables, processes);
  return {
    tables,
    archives: tables.map(
      (view) => new Archive({ tables: view, blobs: storage.blobs, timing: testTiming }),
    ),
    blobs: storage.blobs,
    blobNames: undefined,
    calls,
  };
}

/** Waits until nothing is going on behind the answers, and clears away what is not kept. */
export async function settle({ archives }: Shared): Promise<void> {
  for (const archive of archives) await archive.close();
  await archives[0]?.recover();
}
