/** Imports what is in the container `import`: here and now, or by announcing it to the function. */
import { importFile, type ImportOptions } from '../../src/dicomweb/import/import-file.js';
import type { Services } from '../../src/dicomweb/services.js';
import type { BlobStore } from '../../src/storage/blob-store.js';
import { startProgress } from '../support/progress.js';
import type { ProgressOutput } from '../support/progress.js';
import { inParallel } from './in-parallel.js';
import type { Result, Tally } from './tally.js';

/** The names in the container that begin with `prefix`. */
async function namesOf(blobs: BlobStore, prefix: string): Promise<readonly string[]> {
  const names: string[] = [];
  let continuation: string | undefined;
  do {
    const page = await blobs.list('import', {
      prefix,
      ...(continuation !== undefined && { continuation }),
    });
    names.push(...page.blobs.map(({ name }) => name));
    continuation = page.continuation;
  } while (continuation !== undefined);
  return names;
}

/** Does `work` on each file of the container; what it throws is the fate of that file. */
async function forEachFile(
  blobs: BlobStore,
  { prefix, parallel }: { readonly prefix: string; readonly parallel: number },
  tally: Tally,
  output: ProgressOutput,
  work: (name: string) => Promise<Omit<Result, 'file'>>,
): Promise<void> {
  const names = await namesOf(blobs, prefix);
  const progress = startProgress(output, 'import', names.length);
  await inParallel(names, parallel, async (file) => {
    try {
      tally.add({ file, ...(await work(file)) });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      tally.add({ file, outcome: 'failed', why });
    }
    progress.step(file);
  });
  progress.finish();
}

export interface ContainerOptions extends ImportOptions {
  /** What the names of the files begin with. */
  readonly prefix: string;
  /** Files at the same time. */
  readonly parallel: number;
}

/**
 * Imports every file of the container, with the reports of the function.
 *
 * @throws ServiceError `storage-unavailable` when the container cannot be listed.
 */
export async function importContainer(
  services: Services,
  options: ContainerOptions,
  tally: Tally,
  output: ProgressOutput,
): Promise<void> {
  await forEachFile(services.archive.blobs, options, tally, output, async (name) => {
    const report = await importFile(services, name, options);
    switch (report?.outcome) {
      case undefined:
        return { outcome: 'gone' };
      case 'stored':
        return { outcome: 'stored' };
      case 'duplicate':
        return { outcome: 'there' };
      case 'refused':
        return {
          outcome: 'refused',
          why: [report.reason, ...report.messages].filter((part) => part !== undefined).join(': '),
        };
    }
  });
}

/**
 * Announces every file of the container in the queue.
 *
 * @throws ServiceError `storage-unavailable` when the container cannot be listed.
 */
export async function announceContainer(
  blobs: BlobStore,
  send: (name: string) => Promise<void>,
  options: ContainerOptions,
  tally: Tally,
  output: ProgressOutput,
): Promise<void> {
  await forEachFile(blobs, options, tally, output, async (name) => {
    await send(name);
    return { outcome: 'announced' };
  });
}
