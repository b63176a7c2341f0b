/** The whole service for tests, on either host and either storage: one suite runs on all of them. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { routes } from '../../src/dicomweb/routes.js';
import type { Limits } from '../../src/dicomweb/limits.js';
import type { Route } from '../../src/dicomweb/route.js';
import { createServices, type Services } from '../../src/dicomweb/services.js';
import { locked, openTo, type Authenticator } from '../../src/host/pipeline/authenticator.js';
import { readConfig, settings, type Config } from '../../src/host/config.js';
import { showSettings } from '../../src/host/shown-settings.js';
import { startDevServer, type DevServerOptions } from '../../src/host/local/dev-server.js';
import { createDispatcher } from '../../src/host/pipeline/dispatcher.js';
import type { TimeBudgets } from '../../src/time-budgets.js';
import type { LogEntry } from '../../src/host/pipeline/log.js';
import type { WebPage } from '../../src/host/pipeline/page.js';
import { createPipeline, type PipelineParts } from '../../src/host/pipeline/pipeline.js';
import {
  correlationHeaders,
  countStorageCall,
  waitForStorage,
} from '../../src/host/pipeline/request-scope.js';
import { timeBudgets, type ArchiveTiming } from '../../src/time-budgets.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { MemoryExportDestinations } from '../../src/storage/memory/memory-export-destinations.js';
import { MemoryUploadGrants } from '../../src/storage/memory/memory-upload-grants.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import { testConnectionString, testPrefix } from './storage/azurite.js';
import { FunctionsCore, injectIntoJest, injectIntoNode } from './host/functions-core.js';
import { startFunctionsHost, type FunctionsHostOptions } from './host/functions-host.js';
import { leaksIn, leaksToStorage } from './leaks.js';
import { watchStorage } from './storage/sent-to-storage.js';

export const hosts = ['local', 'functions'] as const;

export interface ServiceOptions {
  readonly host: (typeof hosts)[number];
  /** `memory` when left out. */
  readonly storage?: 'azurite' | 'memory';
  readonly limits?: Partial<Limits>;
  readonly config?: Partial<Config>;
  /** Whether every request is let in (`open`, the default), none, or those that it lets in. */
  readonly access?: 'open' | 'locked' | Authenticator;
  /** Shorter time-outs than the service has, and fewer connections for the local host. */
  readonly budgets?: Partial<TimeBudgets>;
  readonly connections?: Partial<Pick<DevServerOptions, 'connections' | 'idleConnections'>>;
  readonly functionsHost?: FunctionsHostOptions;
  /** Instead of services made here: to make storage fail, say. */
  readonly services?: () => Promise<Services>;
  /** What the service tells of its settings; it is not read otherwise. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The page at the root; none when left out. */
  readonly page?: (config: Config) => WebPage;
  /** Routes beside those of the API. On the Functions host they stay for the rest of the file. */
  readonly extraRoutes?: readonly Route[];
}

export interface Service {
  readonly baseUrl: string;
  readonly services: Services;
  /** Invocations of the Functions host that have not ended. */
  readonly pending: () => number;
  /** What has been logged so far. */
  readonly log: readonly LogEntry[];
  /** Rejects when the log, or a URL of storage, holds what `leaks.ts` was told to keep secret. */
  stop(): Promise<void>;
}

/** Recovery clears away what nobody needs without waiting for those who may still read it. */
const clearedAtOnce: ArchiveTiming = { ...timeBudgets, keepLeavings: -60_000 };

async function connect(storage: 'azurite' | 'memory') {
  if (storage === 'memory') {
    return {
      tables: new MemoryTableStore(),
      blobs: new MemoryBlobStore(),
      timing: clearedAtOnce,
      uploads: new MemoryUploadGrants(),
      exports: new MemoryExportDestinations(),
    };
  }
  // The libraries of Azure take a quarter of a second to load, which most suites can do without.
  const { connectStorage } = await import('../../src/storage/azure/connect.js');
  const stores = connectStorage(
    { connectionString: testConnectionString() },
    {
      prefix: testPrefix(),
      onCall: countStorageCall,
      caller: { headers: correlationHeaders, waits: waitForStorage },
    },
  );
  await stores.ensureCreated();
  return stores;
}

/** The functions app of this module registry: its files are loaded once. */
let app: Promise<FunctionsCore> | undefined;

async function loadApp(): Promise<FunctionsCore> {
  const core = new FunctionsCore();
  if (process.env['JEST_WORKER_ID'] === undefined) injectIntoNode(core);
  else injectIntoJest(core, (await import('@jest/globals')).jest);
  const folder = path.join(__dirname, '../../functions');
  for (const file of await readdir(folder)) {
    const name = /^(.+)\.[tj]s$/.exec(file)?.[1];
    if (name !== undefined) await import(`../../functions/${name}.js`);
  }
  return core;
}

/** The functions app: every file of `functions/`, registered with a stand-in for the worker. */
export async function functionsApp(): Promise<FunctionsCore> {
  app ??= loadApp();
  return await app;
}

async function startOnFunctions(
  parts: PipelineParts,
  extraRoutes: readonly Route[],
  { functionsHost, budgets }: Pick<ServiceOptions, 'functionsHost' | 'budgets'>,
) {
  const core = await functionsApp();
  const { composeWith, register } = await import('../../src/host/functions/azure-functions.js');
  for (const route of extraRoutes) {
    const known = core.functions.some(({ metadata }) => metadata.name === route.name);
    if (!known) register(route);
  }
  composeWith(parts, budgets);
  return await startFunctionsHost(core, {
    bodyLimit: parts.config.limits.requestBytes + 1024 ** 2,
    ...functionsHost,
  });
}

/**
 * Starts the service on a free port. One Functions service at a time: the app is the process.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { host, storage = 'memory', access = 'open', extraRoutes = [] } = options;
  const log: LogEntry[] = [];
  const watch = storage === 'azurite' ? watchStorage() : undefined;
  const defaults = readConfig({ DICOMWEB_ALLOWED_ORIGINS: '*' });
  const limits = { ...defaults.limits, ...options.limits };
  const { partitions, shares } = { ...defaults, ...options.config };
  const services = createServices(await connect(storage), {
    ...{ limits, partitions, shares },
    configuration: showSettings(settings, options.environment ?? {}),
  });
  const config = { ...defaults, ...options.config, limits };
  const parts: PipelineParts = {
    config,
    authenticate: typeof access === 'function' ? access : { open: openTo(config), locked }[access],
    services: options.services ?? (async () => await Promise.resolve(services)),
    log: (entry) => log.push(entry),
    ...(options.page && { page: options.page(config) }),
  };
  const all = [...Object.values<Route>(routes), ...extraRoutes];
  const running =
    host === 'functions'
      ? await startOnFunctions(parts, extraRoutes, options)
      : await startDevServer(createDispatcher(createPipeline(parts), all, parts.page), 0, {
          requestBytes: limits.requestBytes,
          ...options.budgets,
          ...options.connections,
        });
  return {
    baseUrl: running.url,
    services,
    pending: () => ('pending' in running ? Number(running.pending) : 0),
    log,
    async stop() {
      await running.stop();
      await services.archive.close();
      const leaks = leaksIn(log);
      if (leaks.length > 0) throw new Error(`The log tells of ${leaks.join(', ')}`);
      watch?.stop();
      const told = leaksToStorage(watch?.sent ?? []);
      if (told.length > 0) throw new Error(`Calls to storage tell of ${told.join(', ')}`);
    },
  };
}
