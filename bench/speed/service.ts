/** The service as a process of its own over a given Azurite, and what it says of each request. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { median } from './row.js';

export interface RunningService {
  readonly baseUrl: string;
  readonly pid: number;
  /** Median of the storage calls of the requests for a route since the last time it was asked. */
  storageCalls(route: string): number | undefined;
  stop(): Promise<void>;
}

interface RequestLine {
  readonly route?: string;
  readonly storageCalls?: number;
}

function lineOf(text: string): RequestLine {
  try {
    return JSON.parse(text) as RequestLine;
  } catch {
    return {};
  }
}

/** Starts a Node script that prints `Listening on <url>` when it is ready. */
export async function startScript(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<RunningService> {
  const child = spawn(process.execPath, [...args, script], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const calls = new Map<string, number[]>();
  const baseUrl = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const url = /^Listening on (\S+)$/.exec(text)?.[1];
      if (url !== undefined) resolve(url);
      const { route, storageCalls } = text.startsWith('{') ? lineOf(text) : {};
      if (route === undefined || storageCalls === undefined) return;
      const seen = calls.get(route) ?? [];
      if (seen.length === 0) calls.set(route, seen);
      seen.push(storageCalls);
    });
    child.once('exit', (code) => reject(new Error(`${script} ended with ${String(code)}`)));
  });
  if (child.pid === undefined) throw new Error(`${script} did not start.`);
  return {
    baseUrl,
    pid: child.pid,
    storageCalls(route) {
      const seen = calls.get(route) ?? [];
      calls.clear();
      return seen.length === 0 ? undefined : median(seen);
    },
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** Starts the service as `npm start` does, over an account. */
export async function startService(
  connectionString: string,
  nodeArguments: readonly string[] = [],
): Promise<RunningService> {
  return await startScript(path.join(__dirname, '../../src/host/local/main.js'), nodeArguments, {
    DicomStorage: connectionString,
  });
}
