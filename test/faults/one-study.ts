/**
 * `npm run one-study [-- --instances 2000 --processes 8 --in-request 10]`: one process, then several, store
 * one study over Azurite, on which all of them wait for the same processors; then the archive does the same by a
 * simulated clock, each function instance with a processor of its own. Exits 1 when an instance failed or was lost.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { storeOneStudy } from '../../bench/simulate/one-study.js';
import { startAzurite } from '../../src/host/local/azurite.js';
import { markdownTable } from './kill/tables.js';
import { runOneStudy } from './run-one-study.js';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      instances: { type: 'string', default: '2000' },
      processes: { type: 'string', default: '8' },
      'in-request': { type: 'string', default: '10' },
    },
  });
  const azurite = await startAzurite();
  try {
    const rows: string[][] = [];
    for (const processes of [1, Number(values.processes)]) {
      const emulated = processorTimeOf(azurite.pid);
      const report = await runOneStudy({
        connectionString: azurite.connectionString,
        prefix: `one${processes}`,
        processes,
        instances: Number(values.instances),
        instancesPerRequest: Number(values['in-request']),
      });
      const { failed, lost, instancesPerSecond, commits, refused } = report;
      const azuriteMilliseconds =
        (processorTimeOf(azurite.pid) - emulated) / Number(values.instances);
      rows.push(
        [
          ...[processes, failed, lost, instancesPerSecond.toFixed(0), commits, refused],
          report.processorMilliseconds.toFixed(1),
          azuriteMilliseconds.toFixed(1),
        ].map(String),
      );
      if (failed + lost > 0) process.exitCode = 1;
    }
    const head = [
      ...['processes', 'failed', 'lost', 'instances/s', 'commits', 'of them refused'],
      ...['processor ms an instance', 'and of Azurite'],
    ];
    console.log(`\n${markdownTable(head, rows)}\n`);
  } finally {
    await azurite.stop();
  }
  await simulate(Number(values.processes), Number(values.instances), Number(values['in-request']));
}

/** The same by the clock of `bench/simulate`. */
async function simulate(
  processes: number,
  instances: number,
  instancesPerRequest: number,
): Promise<void> {
  const rows: string[][] = [];
  for (const some of [1, processes]) {
    const run = { processes: some, instances, instancesPerRequest, shards: 16, seed: 1 };
    const { instancesPerSecond, slowest, commits, refused } = await storeOneStudy(run);
    rows.push(
      [some, instancesPerSecond.toFixed(0), slowest.toFixed(1), commits, refused].map(String),
    );
  }
  const head = [
    'function instances',
    'instances/s',
    'slowest request, s',
    'commits',
    'of them refused',
  ];
  console.log(markdownTable(head, rows));
}

/** Milliseconds of processor time that a process has taken; NaN where the system does not tell. */
function processorTimeOf(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  // Behind the name, which may hold anything: the 12th and 13th, in hundredths of a second.
  const [user, system] =
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(11, 13) ?? [];
  return (Number(user) + Number(system)) * 10;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
