/** The composition root: where the adapters that the configuration asks for meet the ports. */
import { createServices, type Services } from '../dicomweb/services.js';
import {
  connectStorage,
  type StorageAddress,
  type TokenCredential,
  type Storage as ConnectedStorage,
} from '../storage/azure/connect.js';
import { prepareArchive } from '../storage/archive/layout.js';
import type { ImportQueue, QueueAddress } from '../storage/azure/import-queue.js';
import type { ExportDestinations } from '../storage/export-destinations.js';
import { bearer, locked, openTo, type Authenticator } from './pipeline/authenticator.js';
import { loadShownSettings, type Config, type StorageSettings } from './config.js';
import { jobQueueName } from './jobs/job-runner.js';
import { lazy } from './lazy.js';
import { logToConsole } from './pipeline/log.js';
import { pageOf } from './pipeline/page.js';
import type { PipelineParts } from './pipeline/pipeline.js';
import {
  createHeaderWorkers,
  headerHeapMegabytes,
  startHeaderWorker,
} from './workers/header-workers.js';
import {
  createPixelWorkers,
  defaultQueue,
  startPixelWorker,
  suggestedWorkers,
} from './workers/pixel-workers.js';
import type { JobQueue } from '../jobs/jobs.js';
import { correlationHeaders, countStorageCall, waitForStorage } from './pipeline/request-scope.js';
import { SettingError } from './settings.js';

async function credentialOf(clientId: string | undefined): Promise<TokenCredential> {
  // Loaded only where it is used: it is large, and start-up is paid for.
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  return clientId === undefined
    ? new DefaultAzureCredential()
    : new ManagedIdentityCredential({ clientId });
}

async function addressOf(storage: StorageSettings): Promise<StorageAddress> {
  if (storage.kind === 'connection-string') return { connectionString: storage.connectionString };
  const { blobServiceUri, tableServiceUri, clientId } = storage;
  const credential = await credentialOf(clientId);
  return { blobUrl: blobServiceUri, tableUrl: tableServiceUri, credential };
}

/**
 * Opens the import queue of a storage account, for tools. Sends nothing yet.
 *
 * @throws SettingError when the account is given by endpoints and that of queues is not.
 */
export async function openImportQueue(storage: StorageSettings): Promise<ImportQueue> {
  // The Functions host reads the queue by itself: what serves requests never loads the client.
  const { ImportQueue } = await import('../storage/azure/import-queue.js');
  return new ImportQueue(await queueAddressOf(storage));
}

async function queueAddressOf(storage: StorageSettings): Promise<QueueAddress> {
  if (storage.kind === 'connection-string') return storage;
  const { queueServiceUri, clientId } = storage;
  if (queueServiceUri === undefined) {
    throw new SettingError(
      'The setting DicomStorage__queueServiceUri is missing: the queue endpoint of the storage account.',
    );
  }
  return { queueUrl: queueServiceUri, credential: await credentialOf(clientId) };
}

/** The queue of jobs on a storage account, opened with the first job; none where none is named. */
function jobQueueOf(storage: StorageSettings): JobQueue | undefined {
  if (storage.kind === 'identity' && storage.queueServiceUri === undefined) return undefined;
  const open = lazy(async () => {
    // Loaded only where it is used: most processes start no job.
    const { AzureJobQueue } = await import('../storage/azure/azure-job-queue.js');
    return new AzureJobQueue(jobQueueName, await queueAddressOf(storage));
  });
  return { announce: async (id, afterSeconds) => await (await open()).announce(id, afterSeconds) };
}

/** Export destinations that the identity of the service opens, and those that carry a signature. */
function exportsOf(
  storage: StorageSettings,
  { containerUrls: ownContainers }: Pick<ConnectedStorage, 'containerUrls'>,
): ExportDestinations {
  const open = lazy(async () => {
    const { AzureExportDestinations } =
      await import('../storage/azure/azure-export-destinations.js');
    return new AzureExportDestinations({
      credential: storage.kind === 'identity' ? await credentialOf(storage.clientId) : undefined,
      allowEmulator:
        storage.kind === 'connection-string' && isEmulatorString(storage.connectionString),
      ownContainers,
    });
  });
  return { open: async (settings) => await (await open()).open(settings) };
}

/** Whether a connection string is that of an emulator on this machine. */
function isEmulatorString(connectionString: string): boolean {
  return /UseDevelopmentStorage=true|AccountName=devstoreaccount1/i.test(connectionString);
}

/**
 * Opens the archive on a storage account, where tables and containers are created when absent.
 *
 * @param jobQueue - who goes on with jobs; the queue of the account when left out.
 * @param uploadsFrom - origins whose pages may write to storage; what is set there stays when left out.
 * @throws ServiceError `storage-unavailable`; `layout-unsupported` for an archive of another layout.
 */
export async function openServices(
  storage: StorageSettings,
  config: Pick<Config, 'limits' | 'partitions' | 'pixelWork' | 'logShards' | 'shares'>,
  uploadsFrom?: Config['allowedOrigins'],
  jobQueue: JobQueue | undefined = jobQueueOf(storage),
): Promise<Services> {
  const stores = connectStorage(await addressOf(storage), {
    onCall: countStorageCall,
    caller: { headers: correlationHeaders, waits: waitForStorage },
  });
  await stores.ensureCreated();
  await prepareArchive(stores.tables, config.logShards);
  if (uploadsFrom !== undefined) await stores.allowUploadsFrom(uploadsFrom);
  const { limits, partitions, pixelWork, shares } = config;
  const pixels = createPixelWorkers({
    ...defaultQueue,
    startWorker: () => startPixelWorker(limits.pixels),
    workers: pixelWork.workers ?? suggestedWorkers(),
    timeoutMilliseconds: pixelWork.timeoutSeconds * 1000,
  });
  const headers = createHeaderWorkers({
    startWorker: startHeaderWorker,
    heapMegabytes: headerHeapMegabytes(limits.part10),
  });
  return createServices(
    { ...stores, exports: exportsOf(storage, stores), ...(jobQueue && { jobQueue }) },
    { limits, partitions, pixels, headers, shares, configuration: loadShownSettings() },
  );
}

/** What asks callers who they are; `whenUnset` where the settings do not say. */
export function authenticatorFor(
  { auth, allowedOrigins }: Pick<Config, 'auth' | 'allowedOrigins'>,
  whenUnset: Authenticator,
): Authenticator {
  switch (auth.kind) {
    case 'tokens':
      return bearer(auth);
    case 'none':
      return openTo({ allowedOrigins });
    case 'unset':
      return whenUnset;
  }
}

/**
 * The parts of a Functions process. Services are made on first use and shared from then on.
 *
 * @throws SettingError when no storage is named.
 */
export function functionsParts(config: Config): PipelineParts {
  const { storage } = config;
  if (storage === undefined) {
    throw new SettingError(
      'The setting DicomStorage is missing: the connection string of the storage account, or DicomStorage__blobServiceUri and DicomStorage__tableServiceUri.',
    );
  }
  return {
    config,
    authenticate: authenticatorFor(config, locked),
    services: lazy(async () => {
      // A host that refuses everyone takes no links either.
      const shares = config.auth.kind === 'unset' ? undefined : config.shares;
      return await openServices(storage, { ...config, shares });
    }),
    page: pageOf(config),
    log: logToConsole,
  };
}
