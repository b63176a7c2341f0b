/** The service on this machine: the local server over an Azurite of its own, or over a named account. */
import { routes } from '../../dicomweb/routes.js';
import type { Services } from '../../dicomweb/services.js';
import { LocalJobQueue } from '../../jobs/local-job-queue.js';
import { openTo } from '../pipeline/authenticator.js';
import { startAzurite } from './azurite.js';
import type { Config, StorageSettings } from '../config.js';
import { lockDataDirectory } from './data-lock.js';
import { loopback, startDevServer } from './dev-server.js';
import { createDispatcher } from '../pipeline/dispatcher.js';
import { watchImports } from './import-watch.js';
import { runExpiry } from '../jobs/expiry-job.js';
import { attendJobs, runJob } from '../jobs/job-runner.js';
import { lazy } from '../lazy.js';
import { readOhif } from './ohif.js';
import type { Log } from '../pipeline/log.js';
import { blobOriginOf, pageOf, signInOf } from '../pipeline/page.js';
import { createPipeline } from '../pipeline/pipeline.js';
import { timeBudgets } from '../../time-budgets.js';
import { runRecovery } from '../jobs/recovery-job.js';
import { authenticatorFor, openServices } from '../composition.js';
import { SettingError } from '../settings.js';
import { runUploadSweep } from '../jobs/sweep-job.js';

export interface LocalHost {
  /** Such as `http://localhost:7071`. */
  readonly url: string;
  /** Finishes what is under way, then ends all that was started. */
  stop(): Promise<void>;
}

/** Where data is kept, in words, without secrets. */
export function describeStorage({ storage, dataDirectory }: Config): string {
  if (storage === undefined) return `${dataDirectory} (Azurite)`;
  if (storage.kind === 'identity') return storage.blobServiceUri;
  const account = /AccountName=([^;]+)/i.exec(storage.connectionString)?.[1];
  return account === undefined ? 'Azurite (DicomStorage)' : `storage account ${account}`;
}

/** Who may call, in words. */
export function describeAccess({ auth, allowedOrigins }: Config): string {
  if (auth.kind === 'tokens') return `with tokens of the tenant ${auth.tenantId}`;
  const pages =
    allowedOrigins === '*'
      ? 'and to every web page that is open on it'
      : 'and to its web pages; for others: DICOMWEB_ALLOWED_ORIGINS=https://viewer.example.org';
  return `open to this machine, ${pages}`;
}

/** The service is open to its own machine, and to nobody else. @throws SettingError */
function refuseOpenToOthers({ auth, host }: Config): void {
  if (host === loopback || auth.kind === 'tokens') return;
  throw new SettingError(
    `The setting DICOMWEB_HOST must be ${loopback} where no tokens are asked for: set DICOM_AUTH_TENANT_ID and DICOM_AUTH_AUDIENCE.`,
  );
}

/** Whether it is Azurite, ours or the one on its usual ports: it announces no uploads. */
function isEmulator({ storage }: Config): boolean {
  if (storage === undefined) return true;
  return (
    storage.kind === 'connection-string' &&
    /UseDevelopmentStorage=true/i.test(storage.connectionString)
  );
}

/** Of one run of a job; short, so that a stop waits for one slice at most. */
const runMilliseconds = 10_000;

const uploadSweepMilliseconds = 60 * 60_000;

interface RunningStorage {
  readonly settings: StorageSettings;
  readonly stop: () => Promise<void>;
}

async function startStorage({ storage, dataDirectory }: Config): Promise<RunningStorage> {
  if (storage !== undefined)
    return { settings: storage, stop: async () => await Promise.resolve() };
  const lock = await lockDataDirectory(dataDirectory);
  try {
    const azurite = await startAzurite({ dataDir: dataDirectory });
    await lock.noteEmulator(azurite.pid);
    const { connectionString } = azurite;
    return {
      settings: { kind: 'connection-string', connectionString },
      async stop() {
        await azurite.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/**
 * Starts everything and resolves when requests can be answered.
 *
 * @throws SettingError when it would be open to other machines, or another server has its data.
 */
export async function startLocalHost(config: Config, log: Log): Promise<LocalHost> {
  refuseOpenToOthers(config);
  const jobQueue = new LocalJobQueue(
    async (id) => await runJob(services, log, id, runMilliseconds),
  );
  /** Where the storage is that was started. */
  let running: StorageSettings | undefined;
  const backend = lazy(async () => {
    const storage = await startStorage(config);
    running = storage.settings;
    try {
      // Only what is ours alone is set up. The signature in a grant is what lets a page write; Azurite
      // cannot name the pages of this machine, whatever their port.
      const origins = config.storage === undefined ? '*' : undefined;
      const services = await openServices(storage.settings, config, origins, jobQueue);
      return { services, stop: storage.stop };
    } catch (error) {
      await storage.stop();
      throw error;
    }
  });
  const services = lazy(async (): Promise<Services> => (await backend()).services);
  const authenticate = authenticatorFor(config, openTo(config));
  const pipeline = createPipeline({ config, authenticate, services, log });
  const page = pageOf(config, {
    viewer: readOhif({ signIn: signInOf(config.auth) }),
    blobOrigin: () => blobOriginOf(running ?? config.storage),
  });
  const dispatch = createDispatcher(pipeline, Object.values(routes), page);
  const server = await startDevServer(dispatch, config.port, {
    host: config.host,
    requestBytes: config.limits.requestBytes,
  });
  try {
    const { services: made, stop } = await backend();
    await runRecovery(services, log);
    // Our own data is nobody else's.
    await attendJobs(services, log, { alone: config.storage === undefined });
    await runExpiry(services, log);
    const recovery = setInterval(() => {
      void runRecovery(services, log);
      void attendJobs(services, log);
      void runExpiry(services, log);
    }, timeBudgets.recoveryInterval);
    const uploadSweep = setInterval(() => {
      void runUploadSweep(services, log);
    }, uploadSweepMilliseconds);
    const imports = isEmulator(config)
      ? watchImports(services, log, { keepFiles: config.importKeepsFiles })
      : undefined;
    return {
      url: server.url,
      async stop() {
        clearInterval(recovery);
        clearInterval(uploadSweep);
        await imports?.stop();
        await server.stop();
        await jobQueue.close();
        await made.archive.close();
        await made.pixels.close();
        await made.headers.close();
        await stop();
      },
    };
  } catch (error) {
    await server.stop(0);
    throw error;
  }
}
