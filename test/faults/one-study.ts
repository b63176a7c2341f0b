/**
 * `npm run one-study [-- --instances 2000 --processes 8 --in-request 25 --warm-up 500 --rounds 1 --only
 * azurite|simulated]`: one process, several that are sent as many requests at a time together, the same with a study
 * each, and one that is sent as many as each of them, store over Azurite, on which all of them wait for the same processors,
 * in turn for some rounds; then the archive does the same by a simulated clock, each function instance with a processor of its own. Exits 1
 * when an instance failed or was lost.
 */
import { parseArgs } from 'node:util';
import { storeOneStudy } from '../../bench/simulate/one-study.js';
import { processorMilliseconds } from '../../bench/speed/processor-time.js';
import { deployedLogShards } from '../../src/host/config.js';
import { startAzurite } from '../../src/host/local/azurite.js';
import { markdownTable } from './kill/tables.js';
import { noCalls } from './kill/counted-calls.js';
import { runOneStudy, type OneStudyReport, type OneStudyRun } from './run-one-study.js';

/** Requests on their way at any time to each of several processes; one process is sent as many as all of them. */
const requestsOfEach = 2;

interface OneStudyOptions {
  readonly instances: number;
  readonly instancesPerRequest: number;
  readonly warmUp: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      instances: { type: 'string', default: '2000' },
      processes: { type: 'string', default: '8' },
      'in-request': { type: 'string', default: '25' },
      'warm-up': { type: 'string', default: '500' },
      rounds: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  });
  const processes = Number(values.processes);
  const options = {
    instances: Number(values.instances),
    instancesPerRequest: Number(values['in-request']),
    warmUp: Number(values['warm-up']),
  };
  const all = requestsOfEach * processes;
  const runs = Array.from({ length: Number(values.rounds) }, () => [
    { processes: 1, studies: 1, requestsAtATime: all },
    { processes, studies: 1, requestsAtATime: all },
    { processes, studies: processes, requestsAtATime: all },
    { processes: 1, studies: 1, requestsAtATime: requestsOfEach },
  ]).flat();
  if (values.only !== 'simulated') await measure(runs, options);
  if (values.only !== 'azurite') await simulate(processes, options);
}

type Load = Pick<OneStudyRun, 'processes' | 'studies' | 'requestsAtATime'>;

/** @param runs - each over an Azurite of its own: one that holds more is slower. */
async function measure(runs: readonly Load[], options: OneStudyOptions): Promise<void> {
  const reports: OneStudyReport[] = [];
  for (const load of runs) {
    const azurite = await startAzurite();
    const warmUp = await startAzurite();
    try {
      const { connectionString, pid } = azurite;
      const storages = { connectionString, warmUpConnectionString: warmUp.connectionString };
      const storageTime = () => processorTimeOf(pid);
      reports.push(
        await runOneStudy({ ...options, ...load, ...storages, storageTime, prefix: 'one' }),
      );
    } finally {
      await Promise.all([azurite.stop(), warmUp.stop()]);
    }
  }
  if (reports.some(({ failed, lost }) => failed + lost > 0)) process.exitCode = 1;
  const rows = reports.map((report) => {
    const { processes, studies, requestsAtATime, failed, lost, instancesPerSecond, calls } = report;
    const { processorMilliseconds: ours, storageMilliseconds } = report;
    const commits = calls.get('catalog commit') ?? noCalls;
    const times = [ours, storageMilliseconds].map((time) => time.toFixed(1));
    const rate = instancesPerSecond.toFixed(0);
    const outcome = [failed, lost, rate, commits.calls, commits.refused];
    return [processes, studies, requestsAtATime, ...outcome, ...times].map(String);
  });
  const counts = ['failed', 'lost', 'instances/s', 'commits', 'of them refused'];
  const head = ['processes', 'studies', 'requests at a time', ...counts];
  console.log(
    `\n${markdownTable([...head, 'processor ms an instance', 'and of Azurite'], rows)}\n`,
  );
  console.log(`${callTable(reports)}\n`);
}

/** The calls to tables by one process and by several, of the last run of each. */
function callTable(reports: readonly OneStudyReport[]): string {
  const most = Math.max(...reports.map(({ requestsAtATime }) => requestsAtATime));
  const same = reports.filter(
    ({ studies, requestsAtATime }) => studies === 1 && requestsAtATime === most,
  );
  const last = [...new Map(same.map((report) => [report.processes, report])).values()];
  const kinds = new Set(last.flatMap(({ calls }) => [...calls.keys()]));
  const rows = [...kinds].map((kind) => [
    kind,
    ...last.flatMap((report) => {
      const { calls, refused, rows } = report.calls.get(kind) ?? noCalls;
      return [calls, refused, (rows / Math.max(calls, 1)).toFixed(1)].map(String);
    }),
  ]);
  const head = last.flatMap(({ processes }) => [
    `calls of ${processes}`,
    'of them refused',
    'rows in each',
  ]);
  return markdownTable(['what for', ...head], rows);
}

/** The same by the clock of `bench/simulate`, with one function instance, two, four and so on. */
async function simulate(processes: number, options: OneStudyOptions): Promise<void> {
  const rows: string[][] = [];
  for (let some = 1; some <= processes; some *= 2) {
    const figures = await storeOneStudy({
      ...options,
      processes: some,
      shards: deployedLogShards,
      seed: 1,
    });
    const { instancesPerSecond, slowest, commits, refused } = figures;
    rows.push(
      [some, instancesPerSecond.toFixed(0), slowest.toFixed(1), commits, refused].map(String),
    );
  }
  const times = ['function instances', 'instances/s', 'slowest request, s'];
  console.log(markdownTable([...times, 'commits', 'of them refused'], rows));
}

/** Milliseconds of processor time that a process has taken; NaN where the system does not tell. */
function processorTimeOf(pid: number): number {
  return process.platform === 'linux' ? processorMilliseconds(pid) : Number.NaN;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
