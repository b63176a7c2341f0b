/** Small JSON documents of ours, kept as blobs. */
import { allBytes } from '../storage/body.js';
import type { BlobStore, ContainerName } from '../storage/blob-store.js';

/** Writes a document, over what is there. */
export async function writeJsonBlob(
  blobs: BlobStore,
  container: ContainerName,
  name: string,
  document: object,
): Promise<void> {
  const text = Buffer.from(`${JSON.stringify(document, undefined, 2)}\n`);
  // eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
  async function* body() {
    yield text;
  }
  await blobs.put(container, name, body());
}

/**
 * Reads a document that `writeJsonBlob` wrote; `undefined` when it is not there.
 *
 * @throws SyntaxError when it is no JSON.
 */
export async function readJsonBlob<Document extends object>(
  blobs: BlobStore,
  container: ContainerName,
  name: string,
): Promise<Document | undefined> {
  const content = await blobs.get(container, name);
  if (content === undefined) return undefined;
  return JSON.parse((await allBytes(content.body)).toString()) as Document;
}
