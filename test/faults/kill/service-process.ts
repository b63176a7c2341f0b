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
import { countedTables, type CallCount, type CallCounts, type CallKind } from './counted-calls.js';
import { hookedBlobs, hookedTables, type Moment, type Step, type StepHook } from './steps.js';

export interface ServiceProcessOptions {
  readonly connectionString: string;
  /** Of a storage that the process serves as well, so that its code is compiled before it is measured. */
  readonly warmUpConnectionString?: string;
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
export interface Sample {
  readonly residentBytes: number;
  /** Of JavaScript objects, after a collection of garbage where `--expose-gc` allows one. */
  readonly heapBytes: number;
  /** Open file descriptors; -1 where the system does not list them. */
  readonly descriptors: number;
  /** Processor time that it has taken since it started, but not for samples. */
  readonly processorMilliseconds: number;
  readonly calls: readonly (readonly [CallKind, CallCount])[];
}

/** From the process. */
export type Notice =
  | { readonly kind: 'listening'; readonly url: string; readonly warmUpUrl: string }
  /** The process is to be stopped. */
  | { readonly kind: 'frozen' }
  | { readonly kind: 'sampled'; readonly sample: Sample };

function tell(notice: Notice): void {
  process.send?.(notice);
}

function processorMilliseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What samples have taken. */
let ofSamples = 0;

function takeSample(counts: CallCounts): Sample {
  const spent = processorMilliseconds();
  globalThis.gc?.();
  ofSamples += processorMilliseconds() - spent;
  const { rss, heapUsed } = process.memoryUsage();
  const descriptors = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : -1;
  return {
    residentBytes: rss,
    heapBytes: heapUsed,
    descriptors,
    processorMilliseconds: processorMilliseconds() - ofSamples,
    calls: [...counts],
  };
}

/** Has itself stopped from outside, and goes on when it is told to. */
async function standStill(): Promise<void> {
  const goesOn = new Promise((resolve) => process.once('SIGCONT', resolve));
  tell({ kind: 'frozen' });
  await goesOn;
}

/** Serves what one storage holds; answers where, and how many calls its tables have been sent. */
async function serve(
  { prefix, timing, storageTimeoutMilliseconds, recoveryMilliseconds }: ServiceProcessOptions,
  connectionString: string,
  hook: StepHook,
): Promise<{ readonly url: string; readonly counts: CallCounts }> {
  const config = readConfig({});
  const stores = connectStorage(
    { connectionString },
    {
      prefix,
      ...(storageTimeoutMilliseconds !== undefined && { timeoutMs: storageTimeoutMilliseconds }),
    },
  );
  await stores.ensureCreated();
  const { tables, counts } = countedTables(hookedTables(stores.tables, hook));
  const services = createServices(
    {
      tables,
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
      setTimeout(recoverAgain, recoveryMilliseconds),
    );
  };
  recoverAgain();
  return { url: server.url, counts };
}

async function main(options: ServiceProcessOptions): Promise<void> {
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
  process.on('SIGCONT', () => (fuse = undefined));
  // Never outlives the one who drives it.
  process.on('disconnect', () => process.exit(0));

  const trueTime = Date.now;
  Date.now = () => trueTime() + options.clockOffset;
  const { url, counts } = await serve(options, options.connectionString, hook);
  const other = options.warmUpConnectionString;
  const warmUp = other === undefined ? undefined : await serve(options, other, hook);
  process.on('message', (order: Order) => {
    if (order.kind === 'sample') tell({ kind: 'sampled', sample: takeSample(counts) });
    else {
      ({ fuse } = order);
      reached = 0;
    }
  });
  tell({ kind: 'listening', url, warmUpUrl: warmUp?.url ?? url });
}

void main(JSON.parse(process.argv[2] ?? '{}') as ServiceProcessOptions);
