/** Puts files together into requests of a bounded size. */
import type { LocalFile } from './local-files.js';

export const batchLimits = { files: 25, bytes: 64 * 1024 ** 2 } as const;

/**
 * Requests for the files, in order. Within one request the UIDs of all instances are known and differ,
 * so that the answer can be told apart; a file whose UID is not known has a request of its own.
 */
export async function* batchesOf(
  files: AsyncIterable<LocalFile>,
  limits: { readonly files: number; readonly bytes: number } = batchLimits,
): AsyncGenerator<readonly LocalFile[], void, undefined> {
  let batch: LocalFile[] = [];
  let bytes = 0;
  for await (const file of files) {
    if (file.instance === undefined) {
      yield [file];
      continue;
    }
    const isFull = batch.length === limits.files || bytes + file.bytes > limits.bytes;
    if (batch.length > 0 && (isFull || batch.some(({ instance }) => instance === file.instance))) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(file);
    bytes += file.bytes;
  }
  if (batch.length > 0) yield batch;
}
