/** The only way to a blob: a client whose requests go to that blob of that container. */
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob';
import { checkBlobName } from '../blob-name.js';

/**
 * The client of a blob. Its URL, normalised as it will be when it is requested, is checked to name
 * that very blob of the container.
 *
 * @throws RangeError when the name is none, or the URL leads elsewhere.
 */
export function blobClientIn(container: ContainerClient, name: string): BlockBlobClient {
  checkBlobName(name);
  const client = container.getBlockBlobClient(name);
  const root = `${new URL(container.url).pathname}/`;
  const { pathname } = new URL(client.url);
  if (pathname.startsWith(root) && decodeURIComponent(pathname.slice(root.length)) === name) {
    return client;
  }
  throw new RangeError('The URL of a blob leads out of its container');
}
