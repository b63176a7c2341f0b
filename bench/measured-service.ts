/** The service as a process of its own, on either host, over an Azurite of its own. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { startAzurite } from '../src/host/local/azurite.js';
import type { FunctionMetadata, FunctionsCore } from '../test/support/host/functions-core.js';
import { startFunctionsHost } from '../test/support/host/functions-host.js';

export const hosts = ['local', 'functions'] as const;
export type Host = (typeof hosts)[number];

export interface MeasuredService {
  readonly baseUrl: string;
  /** Of the process with the service's code in it; storage and, on Azure, the host are others. */
  readonly pid: number;
  /** Ends all processes; the data stays. */
  stop(): Promise<void>;
}

/** From the Functions worker, when it takes requests. */
export interface WorkerReady {
  readonly proxyUrl: string;
  readonly functions: readonly FunctionMetadata[];
}

/** To the Functions worker: run this function for the request with this invocation id. */
export interface InvocationMessage {
  readonly name: string;
  readonly invocation: Parameters<FunctionsCore['invoke']>[1];
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('A process did not start.');
  return child.pid;
}

/** Settings with which the service asks for tokens; none is ever valid. */
export const lockedSettings = {
  DICOM_AUTH_MODE: '',
  DICOM_AUTH_TENANT_ID: '00000000-0000-4000-8000-000000000001',
  DICOM_AUTH_AUDIENCE: 'api://dicomweb-benchmark',
} as const;

/** How its process is started. */
interface ProcessOptions {
  readonly nodeArguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function startLocal(
  dataDir: string,
  { nodeArguments = [], env = {} }: ProcessOptions,
): Promise<MeasuredService> {
  const child = spawn(
    process.execPath,
    [...nodeArguments, path.join(__dirname, '../src/host/local/main.js')],
    {
      env: { ...process.env, DICOMWEB_DATA_DIR: dataDir, PORT: '0', DicomStorage: '', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  const baseUrl = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      // What it logs later is read and forgotten.
      if (output.includes('Listening on ')) return;
      output += chunk.toString();
      const url = /^Listening on (\S+)$/m.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', () => reject(new Error(`The service did not start: ${output}`)));
  });
  return {
    baseUrl,
    pid: pidOf(child),
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}

async function startFunctions(
  dataDir: string,
  { nodeArguments = [], env = {} }: ProcessOptions,
): Promise<MeasuredService> {
  const azurite = await startAzurite({ dataDir });
  const worker = fork(path.join(__dirname, 'functions-worker.js'), {
    execArgv: [...nodeArguments],
    env: {
      ...process.env,
      DicomStorage: azurite.connectionString,
      DICOM_AUTH_MODE: 'none',
      ...env,
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exit = ended(worker).then(() => {
    throw new Error('The worker ended.');
  });
  exit.catch(() => undefined);
  const [{ proxyUrl, functions }] = (await Promise.race([once(worker, 'message'), exit])) as [
    WorkerReady,
  ];
  const front = await startFunctionsHost({
    functions: functions.map((metadata) => ({ metadata, callback: () => undefined })),
    start: async () => await Promise.resolve(proxyUrl),
    invoke: async ({ metadata: { name } }, invocation) => {
      worker.send({ name, invocation } satisfies InvocationMessage);
      await Promise.resolve();
    },
  });
  return {
    baseUrl: front.url,
    pid: pidOf(worker),
    async stop() {
      await front.stop();
      if (worker.connected) worker.disconnect();
      await ended(worker);
      await azurite.stop();
    },
  };
}

/** Starts the service on the archive in a folder, empty at first. */
export async function startMeasuredService(
  host: Host,
  dataDir: string,
  options: ProcessOptions = {},
): Promise<MeasuredService> {
  return await (host === 'local' ? startLocal : startFunctions)(dataDir, options);
}
