/** The parts of the system that handlers use, made once per process. */
import { ExpiryRegistry } from '../storage/expiry-registry.js';
import { PartitionRegistry } from '../storage/partition-registry.js';
import { MaintenanceReports } from '../storage/maintenance-reports.js';
import { ShareRegistry } from '../storage/share-registry.js';
import type { UploadGrants } from '../storage/upload-grants.js';
import { Archive, type ArchiveOptions } from '../storage/archive/archive.js';
import { Jobs, type JobQueue } from '../jobs/jobs.js';
import type { ExportDestinations } from '../storage/export-destinations.js';
import type { ShownSetting } from './administration/configuration.js';
import { exportKind } from './export/export-job.js';
import { noExports } from './export/no-exports.js';
import { reindexKind } from './query-tags/reindex-job.js';
import { untagKind } from './query-tags/untag-job.js';
import type { Limits } from './limits.js';
import { pixelWorkInThread, type PixelWork } from './pixel-work.js';
import { AnswerCache } from './retrieve/answer-cache.js';
import { headerWorkInThread, type HeaderWork } from './store/header-work.js';
import { HeldHeaders } from './store/held-headers.js';
import { updateKind } from './update/update-job.js';
import { StoreGate } from './store/store-gate.js';

/** How links are made. */
export interface ShareSettings {
  /** Days that a link works where its maker names none. */
  readonly defaultDays: number;
}

export interface Services {
  readonly archive: Archive;
  readonly limits: Limits;
  readonly storeGate: StoreGate;
  readonly headers: HeaderWork;
  readonly heldHeaders: HeldHeaders;
  readonly answers: AnswerCache;
  readonly pixels: PixelWork;
  /** `undefined` where storage has none. */
  readonly uploads: UploadGrants | undefined;
  /** Whether data partitions are enabled. */
  readonly partitions: boolean;
  readonly partitionRegistry: PartitionRegistry;
  readonly expiry: ExpiryRegistry;
  readonly jobs: Jobs;
  /** Where exports may go. */
  readonly exports: ExportDestinations;
  /** `undefined` where links are switched off. */
  readonly shares: (ShareSettings & { readonly registry: ShareRegistry }) | undefined;
  readonly maintenance: MaintenanceReports;
  /** The settings as they may be told. */
  readonly configuration: readonly ShownSetting[];
}

/** What services are put together over. */
export interface ServicePorts extends ArchiveOptions {
  readonly uploads?: UploadGrants;
  /** Nowhere when left out. */
  readonly exports?: ExportDestinations;
  /** Jobs wait for the next inspection when left out. */
  readonly jobQueue?: JobQueue;
}

const nobody: JobQueue = { announce: async () => await Promise.resolve() };

/** Puts the services together over two stores; without workers, headers and pixels are worked on in this thread. */
export function createServices(
  stores: ServicePorts,
  options: Pick<Services, 'limits' | 'partitions'> &
    Partial<Pick<Services, 'pixels' | 'headers' | 'configuration'>> & {
      readonly shares?: ShareSettings | undefined;
    },
): Services {
  const { limits, partitions, shares, configuration = [] } = options;
  const { pixels = pixelWorkInThread(limits.pixels), headers = headerWorkInThread() } = options;
  const archive = new Archive(stores);
  const { exports = noExports, jobQueue = nobody, tables } = stores;
  const partitionRegistry = new PartitionRegistry(tables);
  const jobs: Jobs = new Jobs({
    tables,
    queue: jobQueue,
    kinds: {
      export: exportKind(archive, exports),
      reindex: reindexKind(archive, partitionRegistry),
      untag: untagKind({
        archive,
        partitions: partitionRegistry,
        findJob: async (id) => await jobs.find(id),
      }),
      update: updateKind(archive, limits.part10),
    },
  });
  return {
    archive,
    limits,
    storeGate: new StoreGate(limits.storeRequests),
    headers,
    heldHeaders: new HeldHeaders(limits.heldHeaderBytes),
    answers: new AnswerCache(),
    pixels,
    uploads: stores.uploads,
    partitions,
    partitionRegistry,
    expiry: new ExpiryRegistry(tables),
    jobs,
    exports,
    shares: shares && { ...shares, registry: new ShareRegistry(tables) },
    maintenance: new MaintenanceReports(tables),
    configuration,
  };
}
