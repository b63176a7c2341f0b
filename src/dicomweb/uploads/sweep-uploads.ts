/** Clears away what is known of uploads that are long over. */
import type { Services } from '../services.js';
import { readUploadName, uploadsPrefix } from './upload-name.js';

/** How long the state of an upload can be asked for. */
export const uploadKeptDays = 7;

/**
 * Removes records and reports of direct uploads that were granted more than `uploadKeptDays` ago. Files
 * stay: one that is still there has yet to be imported, and blocks without a blob go by themselves.
 *
 * @returns how many blobs.
 */
export async function sweepUploads(
  { archive: { blobs } }: Pick<Services, 'archive'>,
  now = Date.now(),
): Promise<number> {
  const before = now - uploadKeptDays * 24 * 60 * 60_000;
  let count = 0;
  let continuation: string | undefined;
  do {
    const page = await blobs.list('import-reports', {
      prefix: uploadsPrefix,
      ...(continuation !== undefined && { continuation }),
    });
    const old = page.blobs
      .map(({ name }) => name)
      .filter((name) => (readUploadName(name)?.made.getTime() ?? now) < before);
    await blobs.delete('import-reports', old);
    count += old.length;
    continuation = page.continuation;
  } while (continuation !== undefined);
  return count;
}
