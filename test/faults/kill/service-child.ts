/** Starts the service as a process of its own, arms it, kills it, and keeps what it said. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import type { Fuse, Notice, Order, Sample, ServiceProcessOptions } from './service-process.js';

const runner = path.join(__dirname, '../../support/run-typescript.mjs');
const script = path.join(__dirname, 'service-process.ts');

/** What the logs of all processes say that they must not. */
export interface LogFindings {
  /** Answers of 500. */
  readonly faults: string[];
  /** Ends that nobody asked for: an unhandled rejection, say. */
  readonly crashes: string[];
  /** Longest time of a request. */
  slowestMilliseconds: number;
}

export interface ServiceChild {
  readonly url: string;
  /** Where it serves the storage of the warm-up; the same where there is none. */
  readonly warmUpUrl: string;
  /** Whether the process is there, and does not stand still. */
  readonly alive: () => boolean;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  arm(fuse: Fuse): void;
  sample(): Promise<Sample>;
  /** Stands still at the step of a fuse, or at once when that is not reached in time. */
  freeze(fuse: Omit<Fuse, 'signal'>, fuseMilliseconds: number): Promise<void>;
  /** SIGCONT. */
  resume(): void;
  /** SIGKILL. */
  kill(): Promise<void>;
}

function send(child: ChildProcess, order: Order): void {
  if (child.connected) child.send(order, () => undefined);
}

async function notice<Kind extends Notice['kind']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Notice, { kind: Kind }>> {
  return await new Promise((resolve, reject) => {
    const hear = (message: Notice) => {
      if (message.kind !== kind) return;
      child.off('message', hear).off('exit', fail);
      resolve(message as Extract<Notice, { kind: Kind }>);
    };
    const fail = () => {
      child.off('message', hear);
      reject(new Error(`The service ended before it was ${kind}.`));
    };
    child.on('message', hear).once('exit', fail);
  });
}

/** Reads log lines as they come; a line may lie across chunks. */
function readLog(child: ChildProcess, findings: LogFindings, isTimed: () => boolean): void {
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const entry = JSON.parse(line) as LogEntry;
      if (entry.event !== 'request') continue;
      if (isTimed()) {
        findings.slowestMilliseconds = Math.max(findings.slowestMilliseconds, entry.milliseconds);
      }
      if (entry.status === 500) findings.faults.push(line);
    }
  });
}

/** @param findings - added to as the log is read. */
export async function startServiceProcess(
  options: ServiceProcessOptions,
  findings: LogFindings,
): Promise<ServiceChild> {
  const child = fork(runner, [script, JSON.stringify(options)], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, DicomStorage: '' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4000);
  });
  let isFrozen = false;
  let wasFrozen = false;
  // How long a process takes that stands still says nothing.
  readLog(child, findings, () => !wasFrozen);
  const gone = once(child, 'exit').then(() => {
    if (child.signalCode !== 'SIGKILL') {
      findings.crashes.push(`exit ${String(child.exitCode)}: ${complaint}`);
    }
  });
  const { url, warmUpUrl } = await notice(child, 'listening').catch((error: unknown) => {
    throw new Error(`${String(error)} ${complaint}`);
  });
  const end = () => child.kill('SIGKILL');
  return {
    url,
    warmUpUrl,
    gone,
    alive: () => child.exitCode === null && child.signalCode === null && !isFrozen,
    async freeze(fuse, fuseMilliseconds) {
      const burnt = notice(child, 'frozen').catch(() => undefined);
      send(child, { kind: 'arm', fuse: { ...fuse, signal: 'SIGSTOP' } });
      await Promise.race([burnt, sleep(fuseMilliseconds)]);
      isFrozen = true;
      wasFrozen = true;
      // It would not notice that the one who drives it is gone.
      process.once('exit', end);
      child.kill('SIGSTOP');
    },
    resume() {
      process.off('exit', end);
      child.kill('SIGCONT');
      isFrozen = false;
    },
    arm: (fuse) => send(child, { kind: 'arm', fuse }),
    async sample() {
      const sampled = notice(child, 'sampled');
      send(child, { kind: 'sample' });
      return (await sampled).sample;
    },
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
