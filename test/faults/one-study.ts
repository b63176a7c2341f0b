/**
 * `npm run one-study [-- --instances 2000 --processes 8 --in-request 10]`: one process, then several, store
 * one study over Azurite. Exits 1 when an instance failed or was lost.
 */
import { parseArgs } from 'node:util';
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
      const report = await runOneStudy({
        connectionString: azurite.connectionString,
        prefix: `one${processes}`,
        processes,
        instances: Number(values.instances),
        instancesPerRequest: Number(values['in-request']),
      });
      const { failed, lost, instancesPerSecond } = report;
      rows.push([processes, failed, lost, instancesPerSecond.toFixed(0)].map(String));
      if (failed + lost > 0) process.exitCode = 1;
    }
    console.log(markdownTable(['processes', 'failed', 'lost', 'instances/s'], rows));
  } finally {
    await azurite.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
