/**
 * `npm run hostile [-- --cases 20000 --seed N --concurrency 2 --minutes 30 --case N]`: hostile requests against the
 * service as a process of its own over Azurite. Prints what came of them; fails when a figure is not
 * what docs/reliability.md promises. How fast answers were counts only where no other work had more than a twentieth of
 * the processor time.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { residentBytes, watchOthers, watchPeak } from '../../../bench/process-memory.js';
import { startAzurite } from '../../../src/host/local/azurite.js';
import { connectStorage } from '../../../src/storage/azure/connect.js';
import { Archive } from '../../../src/storage/archive/archive.js';
import { checkStore } from '../../../src/storage/archive/store-check.js';
import { timeBudgets } from '../../../src/time-budgets.js';
import { besideMiB } from '../../../infra/memory.json';
import { mean } from '../mean.js';
import { runHostile, type RunReport } from './run.js';
import { findingsIn, type Stores } from './store.js';
import type { DeliverImport } from './case.js';
import type { FromService, ImportOutcome, ToService } from './service.js';

/** Of the memory, what infra/memory.json sets aside beside bodies, less 200 MiB for Azure's host. */
const promised = { slowest: 5000, memoryMiB: besideMiB - 200, loopP99: 200, heapMiB: 3 };
/** Share of the processor time from which on a machine is shared: answers wait for cores, whoever is to blame. */
const shared = 0.05;
const mebibyte = 1024 ** 2;
const mebi = (bytes: number) => (bytes / mebibyte).toFixed(1);

/** A round when it is over. */
interface Round {
  /** Milliseconds since the run began. */
  readonly at: number;
  /** MiB in use, after collection. */
  readonly heap: number;
}

/**
 * The mean heap of the first and of the second half of the rounds. At first caches fill up: what is known of a
 * thousand studies, each for five minutes, and indexes of frames. Once they have, only what is lost makes the heap grow.
 */
function heapOfHalves(rounds: readonly Round[]): readonly [number, number] {
  const filled = rounds.filter(({ at }) => at >= timeBudgets.keepWriter);
  const heaps = (filled.length < 2 ? rounds.slice(-2) : filled).map(({ heap }) => heap);
  const half = Math.ceil(heaps.length / 2);
  return [mean(heaps.slice(0, half)), mean(heaps.slice(-half))];
}

function numberOf(text: string | undefined, fallback: number): number {
  const number = Number(text ?? fallback);
  if (!Number.isSafeInteger(number)) throw new RangeError(`not a number: ${String(text)}`);
  return number;
}

/** What the store has grown to by then, Azurite still answers within milliseconds. */
const casesPerRound = 1000;

async function startService(connectionString: string) {
  const child = fork(path.join(__dirname, 'service.js'), {
    env: { ...process.env, DicomStorage: connectionString, PORT: '0' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: ['--expose-gc'],
  });
  const faults: string[] = [];
  child.on('message', (message: FromService) => {
    if (message.kind === 'fault') faults.push(JSON.stringify(message.entry));
  });
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`The service ended (${String(code)}).`);
  });
  gone.catch(() => undefined);
  const wait = async <K extends FromService['kind']>(kind: K) => {
    const heard = new Promise<Extract<FromService, { kind: K }>>((resolve) => {
      const hear = (message: FromService) => {
        if (message.kind !== kind) return;
        child.off('message', hear);
        resolve(message as Extract<FromService, { kind: K }>);
      };
      child.on('message', hear);
    });
    return await Promise.race([heard, gone]);
  };
  const ask = async <K extends FromService['kind']>(message: ToService, kind: K) => {
    const answer = wait(kind);
    child.send(message);
    return await answer;
  };
  let deliveries = 0;
  const deliver: DeliverImport = async (message) => {
    const id = ++deliveries;
    const answer = new Promise<ImportOutcome>((resolve) => {
      const hear = (heard: FromService) => {
        if (heard.kind !== 'imported' || heard.id !== id) return;
        child.off('message', hear);
        resolve(heard.outcome);
      };
      child.on('message', hear);
    });
    child.send({ id, message } satisfies ToService);
    return await Promise.race([answer, gone]);
  };
  const onHold = (listener: (milliseconds: number) => void) => {
    child.on('message', (message: FromService) => {
      if (message.kind === 'held') listener(message.milliseconds);
    });
  };
  const { url } = await wait('ready');
  return { url, pid: child.pid ?? 0, faults, ask, deliver, onHold };
}

/** Removes the files of what was deleted, which stay for ten minutes for those who are about to read them. */
async function clearAtOnce(stores: Stores): Promise<void> {
  const timing = { ...timeBudgets, keepLeavings: 0, finishIntent: 0 };
  const archive = new Archive({ ...stores, timing });
  await archive.recover();
  await archive.close();
}

function printTallies({ tallies }: RunReport): void {
  const row = (cells: readonly (string | number)[]) => {
    const [kind = '', ...numbers] = cells.map(String);
    console.log(`| ${kind.padEnd(28)} | ${numbers.map((cell) => cell.padStart(10)).join(' | ')} |`);
  };
  row(['Attack', 'cases', '2xx', '4xx', 'other', 'cut off', 'slowest ms', 'mean ms']);
  row(['-'.repeat(28), ...Array.from({ length: 7 }, () => '---------:')]);
  for (const { kind, cases, succeeded, refused, closed, slowest, took } of tallies) {
    const other = cases - succeeded - refused - closed;
    const times = [slowest, took / Math.max(cases, 1)].map(Math.round);
    row([kind, cases, succeeded, refused, other, closed, ...times]);
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string' },
      seed: { type: 'string' },
      concurrency: { type: 'string' },
      case: { type: 'string' },
      minutes: { type: 'string' },
    },
  });
  const seed = numberOf(values.seed, 1);
  const dataDir = await mkdtemp(path.join(tmpdir(), 'hostile-'));
  const azurite = await startAzurite({ dataDir });
  const { connectionString } = azurite;
  const service = await startService(connectionString);
  let [latest, atPeak] = ['', ''];
  const peakOf = watchPeak(service.pid, () => (atPeak = latest));
  const othersOf = watchOthers();
  const started = performance.now();
  const target = { baseUrl: service.url, deliver: service.deliver };
  const rounds: Round[] = [];
  const report = await runHostile(target, {
    onHold: service.onHold,
    onCase: (cases) => (latest = cases),
    onRound: async () => {
      const { heap, buffers } = await service.ask('measure', 'measured');
      rounds.push({ at: performance.now() - started, heap: heap / mebibyte });
      const resident = Math.round(residentBytes(service.pid) / mebibyte);
      console.error(
        `heap ${mebi(heap)} MiB, buffers ${mebi(buffers)} MiB, resident ${resident} MiB`,
      );
    },
    seed,
    cases: numberOf(values.cases, 20_000),
    concurrency: numberOf(values.concurrency, 2),
    casesPerRound,
    ...(values.case !== undefined && { only: numberOf(values.case, 0) }),
    ...(values.minutes !== undefined && {
      mostMilliseconds: numberOf(values.minutes, 0) * 60_000,
    }),
    onProgress: (done) => {
      const passed = Math.round((performance.now() - started) / 1000);
      if (done % 1000 === 0) console.error(`${done} cases, ${passed} s`);
    },
  });
  const seconds = (performance.now() - started) / 1000;
  const others = othersOf();
  const isShared = others !== undefined && others > shared;
  const peakMiB = Math.round(peakOf() / mebibyte);
  const { p99, longest, held } = await service.ask('measure', 'measured');
  await service.ask('stop', 'stopped');
  const stores = connectStorage({ connectionString });
  await clearAtOnce(stores);
  const findings = [...(await findingsIn(stores, report))];
  for await (const { kind, where, detail } of checkStore(stores, { orphanAge: 0 })) {
    findings.push(`${kind}: ${where} ${detail}`);
  }
  await azurite.stop();
  await rm(dataDir, { recursive: true, force: true });

  printTallies(report);
  const [heapBefore, heapAfter] = heapOfHalves(rounds);
  const slowest = Math.round(Math.max(...report.tallies.map((tally) => tally.slowest)));
  const met = report.tallies.reduce((sum, { cases }) => sum + cases, 0);
  console.log(`
${met} cases, seed ${seed}, ${Math.round(seconds)} s
memory peak: ${peakMiB} MiB, at ${atPeak}
heap after collection: ${heapBefore.toFixed(1)} MiB when caches are full, ${heapAfter.toFixed(1)} MiB in the later half
event loop delay: p99 ${p99.toFixed(1)} ms, longest ${longest.toFixed(0)} ms
share of other work in the processor time: ${others === undefined ? 'not known' : `${(others * 100).toFixed(0)} %`}${isShared ? '; how fast answers were is not judged' : ''}
event loop held, processor time: longest ${held.toFixed(0)} ms
instances acknowledged in the last round: ${report.acknowledged.size}; studies deleted before: ${report.deleted}
findings of the store check: ${findings.length}
offences: ${report.offences.length}, faults in the log: ${service.faults.length}`);
  for (const { index, kind, what } of report.offences.slice(0, 30)) {
    console.log(`case ${index} (${kind}): ${what}`);
  }
  for (const line of [...new Set(service.faults)].slice(0, 10)) console.log(line.slice(0, 1500));
  for (const finding of findings.slice(0, 20)) console.log(finding);

  const kept =
    report.offences.length === 0 &&
    findings.length === 0 &&
    service.faults.length === 0 &&
    (isShared || (slowest <= promised.slowest && p99 <= promised.loopP99)) &&
    peakMiB <= promised.memoryMiB &&
    heapAfter - heapBefore <= promised.heapMiB;
  process.exitCode = kept ? 0 : 1;
}

void main();
