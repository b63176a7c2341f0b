/**
 * Imports what lies in the container `import` as soon as it is there: what Event Grid, the queue and the
 * function do in Azure, for Azurite, which announces nothing.
 */
import type { Services } from '../../dicomweb/services.js';
import { uploadsPrefix } from '../../dicomweb/uploads/upload-name.js';
import { runImport } from '../jobs/import-job.js';
import { describeError, type Log } from '../pipeline/log.js';

const intervalMilliseconds = 2000;
/** As the queue delivers a message: this often, and this long after a failure. */
const deliveries = 5;
const retryMilliseconds = 60_000;
/** Files of one round; the next begins when they are done. */
const filesPerRound = 100;

interface Failed {
  readonly times: number;
  readonly until: number;
}

export interface ImportWatch {
  /** Looks once, and imports what is there; resolves when that is done. */
  look(): Promise<void>;
  /** Stops looking; resolves when nothing is under way. */
  stop(): Promise<void>;
}

/**
 * Begins to look, every two seconds.
 *
 * @param keepFiles - imported files stay: then direct uploads alone are imported, which never do.
 */
export function watchImports(
  services: () => Promise<Services>,
  log: Log,
  { keepFiles }: { readonly keepFiles: boolean },
): ImportWatch {
  const failed = new Map<string, Failed>();
  let round: Promise<void> | undefined;

  const isDue = (name: string): boolean => {
    const { times, until } = failed.get(name) ?? { times: 0, until: 0 };
    return times < deliveries && Date.now() >= until;
  };

  async function importOne(name: string): Promise<void> {
    try {
      await runImport(services, log, name, { keepFiles });
      failed.delete(name);
    } catch {
      // Logged by the job.
      const { times } = failed.get(name) ?? { times: 0 };
      failed.set(name, { times: times + 1, until: Date.now() + retryMilliseconds });
    }
  }

  async function importAll(): Promise<void> {
    try {
      const { archive } = await services();
      const page = await archive.blobs.list('import', {
        prefix: keepFiles ? uploadsPrefix : '',
        limit: filesPerRound,
      });
      for (const { name } of page.blobs) if (isDue(name)) await importOne(name);
    } catch (error) {
      log({ event: 'fault', requestId: '-', route: 'import', error: describeError(error) });
    }
  }

  async function look(): Promise<void> {
    round ??= importAll().finally(() => {
      round = undefined;
    });
    await round;
  }

  const timer = setInterval(() => void look(), intervalMilliseconds);
  return {
    look,
    async stop() {
      clearInterval(timer);
      await round;
    },
  };
}
