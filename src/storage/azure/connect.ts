/** Opens a storage account: the one place where clients of the SDKs are made and set up. */
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient, newPipeline } from '@azure/storage-blob';
import type { ContainerClient, StoragePipelineOptions } from '@azure/storage-blob';
import { timeBudgets } from '../../time-budgets.js';
import { containerNames } from '../blob-store.js';
import type { BlobStore, ContainerName } from '../blob-store.js';
import type { OnStorageCall } from '../storage-call.js';
import { tableNames, tablesKeyedByValues } from '../table-store.js';
import type { TableName, TableStore } from '../table-store.js';
import type { UploadGrants } from '../upload-grants.js';
import { AzureBlobStore } from './azure-blob-store.js';
import { AzureTableStore } from './tables/azure-table-store.js';
import { AzureUploadGrants } from './azure-upload-grants.js';
import { callSender } from './call-sender.js';
import { BlobAccount, callerPolicy, removeIdleSteps, type StorageCaller } from './call-policies.js';
import { mostSockets } from './kept-sockets.js';
import { readInBatches } from './tables/reads-in-batches.js';
import { StorageClock, tableClockPolicy } from './tables/storage-clock.js';
import { asciiEntityPolicy, repeatsOf, tableRetryPolicy } from './tables/table-policies.js';
import { tokensWithin } from './tokens-within.js';
import { translateError } from './translate-error.js';

/** What gives tokens for Entra ID, such as `DefaultAzureCredential`. */
export type TokenCredential = Extract<
  BlobServiceClient['credential'],
  { getToken: (...parameters: never[]) => unknown }
>;

export type StorageAddress =
  /** With an account key or a shared access signature. */
  | { readonly connectionString: string }
  /** `https://{account}.blob.core.windows.net` and so on, and who we are. */
  | { readonly blobUrl: string; readonly tableUrl: string; readonly credential: TokenCredential };

export interface StorageOptions {
  /**
   * Put before the names of all tables and containers, for installations that share an account;
   * lower-case letters and digits, the first a letter.
   */
  readonly prefix?: string;
  /** How long the service may take to begin an answer; when left out, 60 s for blobs, 30 s for tables. */
  readonly timeoutMs?: number;
  /** Hears of every call. */
  readonly onCall?: OnStorageCall;
  /** On whose behalf calls are made; nobody's when left out. */
  readonly caller?: StorageCaller;
}

export interface Storage {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
  readonly uploads: UploadGrants;
  /** Of all containers of the archive. */
  readonly containerUrls: readonly string[];
  /** Creates the tables and containers that are not there yet. */
  ensureCreated(): Promise<void>;
  /** Lets web pages of these origins write to the URLs of grants (CORS of the blob service). */
  allowUploadsFrom(origins: readonly string[] | '*'): Promise<void>;
}

/** What the page of a browser sends to upload blocks, and may read of the answers. */
const uploadCors = {
  allowedMethods: 'PUT,OPTIONS',
  allowedHeaders: 'content-type,x-ms-*',
  exposedHeaders: 'etag,x-ms-*',
  maxAgeInSeconds: 7200,
} as const;

const validPrefix = /^[a-z][a-z0-9]{0,30}$/;

const blobRetries: StoragePipelineOptions = {
  retryOptions: { maxTries: 4, retryDelayInMs: 200, maxRetryDelayInMs: 5_000 },
};

function record<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Value,
): Readonly<Record<Name, Value>> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}

function openTable(
  address: StorageAddress,
  table: TableName,
  clock: StorageClock,
  options: StorageOptions,
): TableClient {
  const { prefix = '', timeoutMs = timeBudgets.tableCall } = options;
  const name = `${prefix}${table}`;
  const client =
    'connectionString' in address
      ? TableClient.fromConnectionString(address.connectionString, name, {
          // Only that of Azurite speaks http.
          allowInsecureConnection: true,
        })
      : new TableClient(address.tableUrl, name, tokensWithin(timeoutMs, address.credential));
  removeIdleSteps(client.pipeline);
  client.pipeline.removePolicy({ phase: 'Retry' });
  client.pipeline.addPolicy(tableRetryPolicy(timeoutMs), { phase: 'Retry' });
  if (tablesKeyedByValues.has(table)) readInBatches(client.pipeline);
  client.pipeline.addPolicy(asciiEntityPolicy());
  client.pipeline.addPolicy(tableClockPolicy(clock), { afterPhase: 'Retry' });
  if (options.caller !== undefined) client.pipeline.addPolicy(callerPolicy(options.caller));
  return client;
}

type Tables = Readonly<Record<TableName, TableClient>>;

function openTables(address: StorageAddress, clock: StorageClock, options: StorageOptions): Tables {
  const tables = record(tableNames, (table) => openTable(address, table, clock, options));
  const timeoutMs = options.timeoutMs ?? timeBudgets.tableCall;
  const sender = callSender(tables.catalog.url, {
    sockets: mostSockets.tables,
    timeoutMs,
    timeoutOf: 'sending',
    repeats: () => repeatsOf(timeoutMs),
  });
  for (const { pipeline } of Object.values(tables)) {
    pipeline.addPolicy(sender, { afterPhase: 'Sign' });
  }
  return tables;
}

type Containers = Readonly<Record<ContainerName, ContainerClient>>;

function openBlobs(
  address: StorageAddress,
  options: StorageOptions,
): { readonly service: BlobServiceClient; readonly containers: Containers } {
  const { prefix = '', timeoutMs = timeBudgets.blobCall } = options;
  const { url, credential } =
    'connectionString' in address
      ? BlobServiceClient.fromConnectionString(address.connectionString)
      : { url: address.blobUrl, credential: tokensWithin(timeoutMs, address.credential) };
  const service = new BlobAccount(url, newPipeline(credential, blobRetries));
  removeIdleSteps(service.callPipeline);
  // The SDK sends everything again by itself: a blob that is put twice is the same.
  const sender = callSender(url, {
    sockets: mostSockets.blobs,
    timeoutMs,
    timeoutOf: 'call',
  });
  service.callPipeline.addPolicy(sender, { afterPhase: 'Sign' });
  if (options.caller !== undefined) service.callPipeline.addPolicy(callerPolicy(options.caller));
  const containers = record(containerNames, (name) =>
    service.getContainerClient(`${prefix}${name}`),
  );
  return { service, containers };
}

/**
 * Opens the stores of an account. Sends nothing yet.
 *
 * @throws RangeError when the prefix cannot begin a name, Error when a connection string is malformed.
 */
export function connectStorage(address: StorageAddress, options: StorageOptions = {}): Storage {
  if (options.prefix !== undefined && !validPrefix.test(options.prefix)) {
    throw new RangeError('A prefix of names is lower-case letters and digits, the first a letter');
  }
  const { onCall = () => undefined } = options;
  const clock = new StorageClock();
  const tables = openTables(address, clock, options);
  const { service, containers } = openBlobs(address, options);
  const createTable = async (target: TableName) => {
    onCall({ service: 'table', method: 'POST', operation: 'create', target });
    await tables[target].createTable();
  };
  const createContainer = async (target: ContainerName) => {
    onCall({ service: 'blob', method: 'PUT', operation: 'create', target });
    await containers[target].createIfNotExists();
  };
  return {
    tables: new AzureTableStore(tables, clock, onCall),
    blobs: new AzureBlobStore(containers, onCall),
    uploads: new AzureUploadGrants(service, containers.import, 'credential' in address, onCall),
    containerUrls: Object.values(containers).map(({ url }) => url),
    ensureCreated: async () => {
      try {
        await Promise.all([...tableNames.map(createTable), ...containerNames.map(createContainer)]);
      } catch (error) {
        throw translateError(error, 'The storage account');
      }
    },
    allowUploadsFrom: async (origins) => {
      const cors = { ...uploadCors, allowedOrigins: origins === '*' ? '*' : origins.join(',') };
      try {
        await service.setProperties({ cors: origins.length === 0 ? [] : [cors] });
      } catch (error) {
        throw translateError(error, 'The storage account');
      }
    },
  };
}
