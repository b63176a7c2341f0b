/** Export destinations in Azurite, and those that are refused before anything is sent. */
import { randomUUID } from 'node:crypto';
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { describe, expect, it } from '@jest/globals';
import { AzureExportDestinations } from '../../src/storage/azure/azure-export-destinations.js';
import type { DestinationSettings } from '../../src/storage/export-destinations.js';
import { testConnectionString, testPrefix } from '../support/storage/azurite.js';

const here = new AzureExportDestinations({
  credential: undefined,
  allowEmulator: true,
  ownContainers: [],
});
const inAzure = new AzureExportDestinations({
  credential: undefined,
  allowEmulator: false,
  ownContainers: ['https://archive.blob.core.windows.net/instances'],
});

const ofUri = (blobContainerUri: string, useManagedIdentity = false) => ({
  blobContainerUri,
  useManagedIdentity,
});

async function* body(...chunks: readonly Uint8Array[]) {
  await Promise.resolve();
  yield* chunks;
}

describe('an export destination', () => {
  it('takes blobs, a log and its lines, and names them without what lets one in', async () => {
    const blobContainerName = testPrefix();
    const connectionString = testConnectionString();
    const container =
      BlobServiceClient.fromConnectionString(connectionString).getContainerClient(
        blobContainerName,
      );
    await container.create();
    const destination = await here.open({ connectionString, blobContainerName });
    await destination.prepare('a/errors.log');
    await destination.append('a/errors.log', 'one\n');
    await destination.append('a/errors.log', 'two\n');
    const large = Buffer.alloc(9 * 1024 * 1024, 'x');
    await destination.put('a/results/1.dcm', body(Buffer.from('old')));
    await destination.put('a/results/1.dcm', body(large, Buffer.from('end')));
    const read = async (name: string) => await container.getBlobClient(name).downloadToBuffer();
    expect((await read('a/errors.log')).toString()).toBe('one\ntwo\n');
    expect((await read('a/results/1.dcm')).equals(Buffer.concat([large, Buffer.from('end')]))).toBe(
      true,
    );
    expect(destination.urlOf('a/errors.log')).toBe(`${container.url}/a/errors.log`);
  });

  it('is refused when blobs may be created there and not be written over', async () => {
    const service = BlobServiceClient.fromConnectionString(testConnectionString());
    const container = service.getContainerClient(testPrefix());
    await container.create();
    const uriWith = async (permissions: string) =>
      await container.generateSasUrl({
        permissions: ContainerSASPermissions.parse(permissions),
        expiresOn: new Date(Date.now() + 60_000),
      });
    const creating = await here.open(ofUri(await uriWith('c')));
    await expect(creating.prepare('a/errors.log')).rejects.toThrow(
      `Failed to write to Azure Blob Storage container '${container.containerName}' in account 'devstoreaccount1'.`,
    );
    const reading = await here.open(ofUri(await uriWith('r')));
    await expect(reading.prepare('b/errors.log')).rejects.toThrow(/^Unable to authenticate for/);
    const writing = await here.open(ofUri(await uriWith('w')));
    await writing.prepare('c/errors.log');
    await writing.append('c/errors.log', 'line\n');
    await writing.put('c/1.dcm', body(Buffer.from('one')));
    await container.getBlobClient('c/1.dcm').getBlobLeaseClient().acquireLease(15);
    await expect(writing.put('c/1.dcm', body(Buffer.from('two')))).rejects.toMatchObject({
      code: 'destination-refused',
      message: 'The destination does not take the instance: 412 LeaseIdMissing',
    });
  });

  it('stores nothing when what it is to store breaks off', async () => {
    const blobContainerName = testPrefix();
    const connectionString = testConnectionString();
    const container =
      BlobServiceClient.fromConnectionString(connectionString).getContainerClient(
        blobContainerName,
      );
    await container.create();
    const destination = await here.open({ connectionString, blobContainerName });
    const fault = new Error('the archive is away');
    async function* broken() {
      yield Buffer.from('some');
      await Promise.resolve();
      throw fault;
    }
    await expect(destination.put('b', broken())).rejects.toBe(fault);
    expect(await container.getBlobClient('b').exists()).toBe(false);
  });

  it('is refused when its container is not there', async () => {
    const blobContainerName = testPrefix();
    const connectionString = testConnectionString();
    const destination = await here.open({ connectionString, blobContainerName });
    await expect(destination.prepare('a/errors.log')).rejects.toThrow(
      `Azure Blob Storage container '${blobContainerName}' does not exist in account 'devstoreaccount1'.`,
    );
  });

  const key = Buffer.alloc(64, randomUUID()).toString('base64');
  const ofString = (connectionString: string) => ({ connectionString, blobContainerName: 'c' });
  const azure = 'https://account.blob.core.windows.net/c';

  it.each<[string, DestinationSettings, RegExp]>([
    ['no URL', ofUri('c'), /not a URL/],
    ['no container', ofUri('https://archive.blob.core.windows.net//c?sig=x'), /no container/],
    ...[
      'https://archive.blob.core.windows.net/instances?sig=x',
      'https://ARCHIVE.blob.core.windows.net/%69nstances/?sig=x',
      'https://archive.blob.core.windows.net/instances/deeper?sig=x',
    ].map((uri): [string, DestinationSettings, RegExp] => [
      `the archive itself, as ${uri}`,
      ofUri(uri),
      /holds the archive itself/,
    ]),
    [
      'a URL of others, for our token',
      ofUri('https://evil.example/c', true),
      /no container of Azure/,
    ],
    [
      'a look-alike',
      ofUri('https://a1b.blob.core.windows.net.evil.example/c', true),
      /no container/,
    ],
    ['plain http', ofUri('http://account.blob.core.windows.net/c?sig=x'), /no container/],
    ['this machine', ofUri('http://127.0.0.1:10000/devstoreaccount1/c?sig=x'), /no container/],
    ['public access', ofUri(azure), /^Public access to Azure Blob Storage containers/],
    ['an identity and a signature', ofUri(`${azure}?sig=x`, true), /^UseManagedIdentity cannot/],
    ['an identity that is not there', ofUri(azure, true), /^No identity has been configured\.$/],
    [
      'an account key',
      ofString(`DefaultEndpointsProtocol=https;AccountName=account;AccountKey=${key}`),
      /^Account key authentication is not supported\.$/,
    ],
    ['the emulator', ofString('UseDevelopmentStorage=true'), /no container of Azure/],
    ['a connection string that is none', ofString('nonsense'), /cannot be read/],
  ])('is refused for %s', async (_what, settings, text) => {
    await expect(inAzure.open(settings)).rejects.toMatchObject({
      code: 'destination-refused',
      message: expect.stringMatching(text) as unknown,
    });
  });

  it.each([`${azure}?sv=2022&sig=x`, 'https://account.z1.blob.storage.azure.net/c?sig=x'])(
    'may be a container of Azure with a signature: %s',
    async (uri) => {
      const destination = await inAzure.open(ofUri(uri));
      expect(destination.urlOf('x/errors.log')).toBe(`${uri.split('?')[0] ?? ''}/x/errors.log`);
    },
  );
});
