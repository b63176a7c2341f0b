/** Archives over stores that tests can look into, and files to put into them. */
import { attribute } from '../../../../src/dicom/attribute.js';
import type { DataSet } from '../../../../src/dicom/data-set.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPClassUID,
  SOPInstanceUID,
  StudyInstanceUID,
  TransferSyntaxUID,
} from '../../../../src/dicom/uid.js';
import { Archive, type StoredFile } from '../../../../src/storage/archive/archive.js';
import { defaultPartition, type Partition } from '../../../../src/storage/archive/keys.js';
import type { CommitResult } from '../../../../src/storage/archive/store-commit.js';
import type { Ulid } from '../../../../src/storage/archive/ulid.js';
import { connectStorage } from '../../../../src/storage/azure/connect.js';
import type { BlobStore, ContainerName } from '../../../../src/storage/blob-store.js';
import { MemoryBlobStore } from '../../../../src/storage/memory/memory-blob-store.js';
import {
  MemoryTableStore,
  type MemoryTableStoreOptions,
} from '../../../../src/storage/memory/memory-table-store.js';
import type { StorageCall } from '../../../../src/storage/storage-call.js';
import type { TableStore } from '../../../../src/storage/table-store.js';
import { testConnectionString, testPrefix } from '../../../support/azurite.js';
import { WatchedTables } from './watched-tables.js';

export const partition: Partition = defaultPartition;

export const studyUid = (study: number) => `1.2.${study}` as StudyInstanceUID;
export const seriesUid = (study: number, series: number) =>
  `1.2.${study}.${series}` as SeriesInstanceUID;
export const instanceUid = (study: number, series: number, instance: number) =>
  `1.2.${study}.${series}.${instance}` as SOPInstanceUID;

/** Numbers that stand for the UIDs of an instance, and what its data set says. */
export interface Sample {
  readonly study: number;
  readonly series: number;
  readonly instance: number;
  readonly patient?: string;
  readonly modality?: string;
  readonly sopClass?: string;
  readonly more?: DataSet;
}

export function uidsOf({ study, series, instance }: Sample): InstanceUids {
  return {
    study: studyUid(study),
    series: seriesUid(study, series),
    instance: instanceUid(study, series, instance),
  };
}

export function dataSetOf(sample: Sample): DataSet {
  const { study, series, instance } = uidsOf(sample);
  const { patient = 'P1', modality = 'CT', more } = sample;
  return {
    [attribute('SOPInstanceUID')]: { vr: 'UI', Value: [instance] },
    [attribute('StudyDate')]: { vr: 'DA', Value: ['20240131'] },
    [attribute('AccessionNumber')]: { vr: 'SH', Value: [`A${sample.study}`] },
    [attribute('Modality')]: { vr: 'CS', Value: [modality] },
    [attribute('ReferringPhysicianName')]: { vr: 'PN', Value: [{ Alphabetic: 'Ref^Doc' }] },
    [attribute('StudyDescription')]: { vr: 'LO', Value: ['Thorax'] },
    [attribute('ManufacturerModelName')]: { vr: 'LO', Value: ['Scanner 5'] },
    [attribute('PatientName')]: { vr: 'PN', Value: [{ Alphabetic: `${patient}^Ann` }] },
    [attribute('PatientID')]: { vr: 'LO', Value: [patient] },
    [attribute('PatientBirthDate')]: { vr: 'DA', Value: ['19700101'] },
    [attribute('StudyInstanceUID')]: { vr: 'UI', Value: [study] },
    [attribute('SeriesInstanceUID')]: { vr: 'UI', Value: [series] },
    [attribute('StudyID')]: { vr: 'SH', Value: ['S1'] },
    [attribute('PerformedProcedureStepStartDate')]: { vr: 'DA', Value: ['20240131'] },
    ...more,
  };
}

export function fileOf(sample: Sample, version: Ulid): StoredFile {
  return {
    uids: uidsOf(sample),
    version,
    sopClass: (sample.sopClass ?? '1.2.840.10008.5.1.4.1.1.2') as SOPClassUID,
    transferSyntax: '1.2.840.10008.1.2.1' as TransferSyntaxUID,
    length: 4,
    dataSet: dataSetOf(sample),
    index: { frames: undefined, bulk: [] },
  };
}

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
export async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1, 2, 3, 4);
}

/** Stores a file and commits it, as a request does. */
export async function put(archive: Archive, sample: Sample): Promise<CommitResult> {
  return await commit(archive, await upload(archive, sample));
}

/** Stores a file, without committing it. */
export async function upload(archive: Archive, sample: Sample): Promise<StoredFile> {
  const version = archive.newVersion();
  archive.expect(partition, studyUid(sample.study));
  await archive.putFile(partition, uidsOf(sample), version, bytes());
  return fileOf(sample, version);
}

export async function commit(archive: Archive, file: StoredFile): Promise<CommitResult> {
  return await archive.store(partition, file);
}

/** Stores the instances of one request: all files first, then all commits at once. */
export async function putAll(
  archive: Archive,
  samples: readonly Sample[],
): Promise<readonly CommitResult[]> {
  const files = await Promise.all(samples.map(async (sample) => await upload(archive, sample)));
  return await Promise.all(files.map(async (file) => await commit(archive, file)));
}

/** Blobs by name, for stores that can list them. */
export type ListBlobs = (container: ContainerName) => readonly string[];

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
    archives: tables.map((view) => new Archive({ tables: view, blobs })),
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
    archives: tables.map((view) => new Archive({ tables: view, blobs: storage.blobs })),
    blobs: storage.blobs,
    blobNames: undefined,
    calls,
  };
}

/** Waits until nothing is going on behind the answers. */
export async function settle({ archives }: Shared): Promise<void> {
  for (const archive of archives) await archive.close();
}
