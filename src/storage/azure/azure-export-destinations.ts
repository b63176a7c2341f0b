/**
 * Export destinations as containers of Blob Storage, by identity or by shared access signature. The token
 * of our identity is sent to endpoints of Azure alone: it would let others in wherever it lets us in.
 */
import { Readable } from 'node:stream';
import { AnonymousCredential, ContainerClient, newPipeline } from '@azure/storage-blob';
import { ServiceError } from '../../errors.js';
import type {
  DestinationSettings,
  ExportDestination,
  ExportDestinations,
} from '../export-destinations.js';
import type { TokenCredential } from './connect.js';
import { codeOf, statusOf, translateError } from './translate-error.js';

/** Blob endpoints of the clouds of Azure, also those of DNS zones. */
const azureHost =
  /^[a-z0-9]{3,24}(?:\.z\d{1,2})?\.blob\.(?:core\.(?:windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)|storage\.azure\.net)$/;
const loopback = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;
const emulatorAccount = 'devstoreaccount1';

const blockBytes = 4 * 1024 * 1024;
const blocksInFlight = 3;

/** What the blob service answers when it is about one blob: a lease on it, a hold or a policy that keeps it as it is. */
const ofOneBlob: ReadonlySet<number> = new Set([400, 409, 412]);

function refused(text: string): ServiceError {
  return new ServiceError('destination-refused', text, { parameter: 'destination' });
}

export interface AzureExportOptions {
  /** Of the service; without one destinations need a signature. */
  readonly credential: TokenCredential | undefined;
  /** Whether an emulator on this machine may be written to: where our own storage is one. */
  readonly allowEmulator: boolean;
  /** URLs of the containers of the archive itself, which are no destinations. */
  readonly ownContainers: readonly string[];
}

/** Accounts are told by their host, or by the first part of the path of an emulator, whatever its letters. */
function containerKey(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  const host = loopback.test(hostname) ? `127.0.0.1:${port}` : hostname;
  return `${host}${decodeURIComponent(pathname)}/`.replace(/\/+/g, '/').toLowerCase();
}

function checkHost(url: URL, { allowEmulator }: AzureExportOptions): void {
  if (url.protocol === 'https:' && azureHost.test(url.hostname)) return;
  if (allowEmulator && loopback.test(url.hostname)) return;
  throw refused(`The destination is no container of Azure Blob Storage: ${url.host}.`);
}

function clientOfUri(uri: string, useIdentity: boolean, options: AzureExportOptions) {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined) throw refused('The blobContainerUri is not a URL.');
  if (useIdentity && url.search !== '') {
    throw refused(
      'UseManagedIdentity cannot be specified if the BlobContainerUri container query string parameters.',
    );
  }
  checkHost(url, options);
  if (!useIdentity && !url.searchParams.has('sig')) {
    throw refused('Public access to Azure Blob Storage containers is not supported.');
  }
  const credential = useIdentity ? options.credential : new AnonymousCredential();
  if (credential === undefined) throw refused('No identity has been configured.');
  try {
    return new ContainerClient(uri, newPipeline(credential));
  } catch {
    throw refused('The blobContainerUri names no container.');
  }
}

function clientOfString(connectionString: string, name: string, options: AzureExportOptions) {
  const isEmulator =
    /UseDevelopmentStorage=true/i.test(connectionString) ||
    connectionString.includes(`AccountName=${emulatorAccount};`);
  if (/(?:^|;)\s*AccountKey=/i.test(connectionString) && !isEmulator) {
    throw refused('Account key authentication is not supported.');
  }
  let client: ContainerClient;
  try {
    client = new ContainerClient(connectionString, name);
  } catch {
    throw refused('The connection string cannot be read.');
  }
  checkHost(new URL(client.url), options);
  return client;
}

class AzureExportDestination implements ExportDestination {
  readonly #client: ContainerClient;
  readonly #where: string;

  constructor(client: ContainerClient) {
    this.#client = client;
    this.#where = `Azure Blob Storage container '${client.containerName}' in account '${client.accountName}'`;
  }

  async prepare(logName: string): Promise<void> {
    const where = this.#where;
    let isLetIn = false;
    try {
      await this.#client.getBlockBlobClient(logName).upload('', 0);
      isLetIn = true;
      await this.#client.getAppendBlobClient(logName).create();
    } catch (error) {
      if (isLetIn && statusOf(error) !== undefined) {
        throw new ServiceError('destination-refused', `Failed to write to ${where}.`, {}, error);
      }
      switch (statusOf(error)) {
        case 404:
          throw new ServiceError(
            'destination-refused',
            where.replace(' in account', ' does not exist in account') + '.',
            {},
            error,
          );
        case 401:
        case 403:
          throw new ServiceError(
            'destination-refused',
            `Unable to authenticate for ${where}.`,
            {},
            error,
          );
        case undefined:
          throw new ServiceError('destination-refused', `Cannot connect to ${where}.`, {}, error);
        default:
          throw new ServiceError('destination-refused', `Failed to write to ${where}.`, {}, error);
      }
    }
  }

  async put(name: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    async function* marked() {
      try {
        yield* body;
      } catch (error) {
        failure = { error };
        throw error;
      }
    }
    try {
      await this.#client
        .getBlockBlobClient(name)
        .uploadStream(Readable.from(marked(), { objectMode: false }), blockBytes, blocksInFlight);
    } catch (error) {
      if (failure !== undefined) throw failure.error;
      const status = statusOf(error);
      if (status !== undefined && ofOneBlob.has(status)) {
        const text = `The destination does not take the instance: ${status} ${codeOf(error)}`;
        throw new ServiceError('destination-refused', text.trimEnd(), {}, error);
      }
      throw translateError(error, 'The destination of the export');
    }
  }

  async append(logName: string, lines: string): Promise<void> {
    const bytes = Buffer.from(lines);
    try {
      await this.#client.getAppendBlobClient(logName).appendBlock(bytes, bytes.length);
    } catch (error) {
      throw translateError(error, 'The destination of the export');
    }
  }

  urlOf(name: string): string {
    const url = new URL(this.#client.getBlobClient(name).url);
    return url.origin + url.pathname.replaceAll('%2F', '/');
  }
}

export class AzureExportDestinations implements ExportDestinations {
  readonly #options: AzureExportOptions;

  constructor(options: AzureExportOptions) {
    this.#options = options;
  }

  async open(settings: DestinationSettings): Promise<ExportDestination> {
    const client =
      'blobContainerUri' in settings
        ? clientOfUri(settings.blobContainerUri, settings.useManagedIdentity, this.#options)
        : clientOfString(settings.connectionString, settings.blobContainerName, this.#options);
    const key = containerKey(client.url);
    if (this.#options.ownContainers.some((own) => key.startsWith(containerKey(own)))) {
      throw refused(`The container '${client.containerName}' holds the archive itself.`);
    }
    return await Promise.resolve(new AzureExportDestination(client));
  }
}
