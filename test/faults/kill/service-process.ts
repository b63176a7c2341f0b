/**
 * The service as a process that can be told to die: the real adapters, wrapped so that the process
 * ends itself by SIGKILL right before or after a step. Run by `startServiceProcess`; no part of what
 * is built.
 */
import { readdirSync } from 'node:fs';
import { routes } from '../../../src/dicomweb/routes.js';
import { createServices } from '../../../src/dicomweb/services.js';
import { openTo } from '../../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../../src/host/config.js';
import { startDevServer } from '../../../src/host/local/dev-server.js';
import { createDispatcher } from '../../../src/host/pipeline/dispatcher.js';
import {
  createHeaderWorkers,
  headerHeapMegabytes,
} from '../../../src/host/workers/header-workers.js';
import { logToConsole } from '../../../src/host/pipeline/log.js';
import { createPipeline } from '../../../src/host/pipeline/pipeline.js';
import { runRecovery } from '../../../src/host/jobs/recovery-job.js';
import type { ArchiveTiming } from '../../../src/time-budgets.js';
import { connectStorage } from '../../../src/storage/azure/connect.js';
import { startHeaderWorkerFromSource } from '../../support/host/header-worker.js';
import type { TableStore } from '../../../src/storage/table-store.js';
import { hookedBlobs, hookedTables, type Moment, type Step, type StepHook } from './steps.js';

export interface ServiceProcessOptions {
  readonly connectionString: string;
  /** Of the names of tables and containers. */
  readonly prefix: string;
  readonly timing: ArchiveTiming;
  /** How far the clock of this process is from the true time, in milliseconds. */
  readonly clockOffset: number;
  readonly recoveryMilliseconds: number;
  /** How long storage may take to begin an answer. */
  readonly storageTimeoutMilliseconds?: number;
}

/** To die, or to stand still, at the `nth` time that a step is reached from now on. */
export interface Fuse {
  /** SIGSTOP is followed by SIGCONT from outside; then the process goes on with the step. */
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  readonly step: Step;
  readonly moment: Moment;
  readonly nth: number;
}

/** To the process. */
export type Order = { readonly kind: 'arm'; readonly fuse: Fuse } | { readonly kind: 'sample' };

/** What the process holds. */
export interface Sample extends Readonly<Commits> {
  readonly residentBytes: number;
  /** Of JavaScript objects, after a collection of garbage where `--expose-gc` allows one. */
  readonly heapBytes: number;
  /** Open file descriptors; -1 where the system does not list them. */
  readonly descriptors: number;
  /** Processor time that it has taken since it started. */
  readonly processorMilliseconds: number;
}

/** From the process. */
export type Notice =
  | { readonly kind: 'listening'; readonly url: string }
  /** The process is to be stopped. */
  | { readonly kind: 'frozen' }
  | { readonly kind: 'sampled'; readonly sample: Sample };

function tell(notice: Notice): void {
  process.send?.(notice);
}

/** Transactions in the catalog, and those of them that were refused. */
interface Commits {
  commits: number;
  refused: number;
}

/** Counts what becomes of transactions in the catalog. */
function counted(tables: TableStore, commits: Commits): TableStore {
  return {
    ...tables,
    transact: async (table, partitionKey, operations) => {
      const outcome = await tables.transact(table, partitionKey, operations);
      if (table === 'catalog') {
        commits.commits += 1;
        if (!outcome.committed) commits.refused += 1;
      }
      return outcome;
    },
  };
}

function takeSample(commits: Commits): Sample {
  const { user, system } = process.cpuUsage();
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : -1;
  const processorMilliseconds = (user + system) / 1000;
  const held = { residentBytes: rss, heapBytes: heapUsed, descriptors };
  return { ...held, processorMilliseconds, ...commits };
}

/** Has itself stopped from outside, and goes on when it is told to. */
async function standStill(): Promise<void> {
  const goesOn = new Promise((resolve) => process.once('SIGCONT', resolve));
  tell({ kind: 'frozen' });
  await goesOn;
}

async function main(options: ServiceProcessOptions): Promise<void> {
  const commits: Commits = { commits: 0, refused: 0 };
  let fuse: Fuse | undefined;
  let reached = 0;
  const hook: StepHook = async (step, moment) => {
    if (fuse?.step !== step || fuse.moment !== moment) return;
    reached += 1;
    if (reached < fuse.nth) return;
    if (fuse.signal === 'SIGSTOP') {
      await standStill();
      return;
    }
    process.kill(process.pid, 'SIGKILL');
    // Nothing of ours runs on until the signal has done its work.
    await new Promise<never>(() => undefined);
  };
  process.on('message', (order: Order) => {
    if (order.kind === 'sample') tell({ kind: 'sampled', sample: takeSample(commits) });
    else {
      ({ fuse } = order);
      reached = 0;
    }
  });
  process.on('SIGCONT', () => (fuse = undefined));
  // Never outlives the one who drives it.
  process.on('disconnect', () => process.exit(0));

  const { connectionString, prefix, timing, storageTimeoutMilliseconds, clockOffset } = options;
  const trueTime = Date.now;
  Date.now = () => trueTime() + clockOffset;
  const config = readConfig({});
  const stores = connectStorage(
    { connectionString },
    {
      prefix,
      ...(storageTimeoutMilliseconds !== undefined && { timeoutMs: storageTimeoutMilliseconds }),
    },
  );
  await stores.ensureCreated();
  const services = createServices(
    {
      tables: counted(hookedTables(stores.tables, hook), commits),
      blobs: hookedBlobs(stores.blobs, hook),
      timing,
    },
    {
      ...config,
      headers: createHeaderWorkers({
        startWorker: startHeaderWorkerFromSource,
        heapMegabytes: headerHeapMegabytes(config.limits.part10),
      }),
    },
  );
  const whenMade = async () => await Promise.resolve(services);
  const pipeline = createPipeline({
    config,
    authenticate: openTo(config),
    services: whenMade,
    log: logToConsole,
  });
  const server = await startDevServer(createDispatcher(pipeline, Object.values(routes)), 0);
  const recoverAgain = () => {
    void runRecovery(whenMade, logToConsole).then(() =>
      setTimeout(recoverAgain, options.recoveryMilliseconds),
    );
  };
  recoverAgain();
  tell({ kind: 'listening', url: server.url });
}

void main(JSON.parse(process.argv[2] ?? '{}') as ServiceProcessOptions);
