/**
 * `npm run one-study [-- --instances 2000 --processes 8 --in-request 25 --warm-up 100 --rounds 1 --only
 * azurite|simulated]`: one process, then several, store one study over Azurite, on which all of them wait for the same
 * processors, in turn for some rounds; then the archive does the same by a simulated clock, each function instance with
 * a processor of its own. Exits 1 when an instance failed or was lost.
 */
import { parseArgs } from 'node:util';
import { storeOneStudy } from '../../bench/simulate/one-study.js';
import { processorMilliseconds } from '../../bench/speed/processor-time.js';
import { deployedLogShards } from '../../src/host/config.js';
import { startAzurite } from '../../src/host/local/azurite.js';
import { markdownTable } from './kill/tables.js';
import { runOneStudy } from './run-one-study.js';

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
      'warm-up': { type: 'string', default: '100' },
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
  const runs = Array.from({ length: Number(values.rounds) }, () => [1, processes]).flat();
  if (values.only !== 'simulated') await measure(runs, options);
  if (values.only !== 'azurite') await simulate(processes, options);
}

/** @param runs - the number of processes of each run, over an Azurite of its own: one that holds more is slower. */
async function measure(runs: readonly number[], options: OneStudyOptions): Promise<void> {
  const rows: string[][] = [];
  for (const processes of runs) {
    const azurite = await startAzurite();
    try {
      const { connectionString, pid } = azurite;
      const storageTime = () => processorTimeOf(pid);
      const run = { ...options, connectionString, storageTime, prefix: 'one', processes };
      const report = await runOneStudy(run);
      const { failed, lost, instancesPerSecond, commits, refused } = report;
      const { processorMilliseconds: ours, storageMilliseconds } = report;
      const times = [ours, storageMilliseconds].map((time) => time.toFixed(1));
      const rate = instancesPerSecond.toFixed(0);
      rows.push([processes, failed, lost, rate, commits, refused, ...times].map(String));
      if (failed + lost > 0) process.exitCode = 1;
    } finally {
      await azurite.stop();
    }
  }
  const counts = ['processes', 'failed', 'lost', 'instances/s', 'commits', 'of them refused'];
  const head = [...counts, 'processor ms an instance', 'and of Azurite'];
  console.log(`\n${markdownTable(head, rows)}\n`);
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
