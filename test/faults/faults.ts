/**
 * `npm run test:faults`: kills processes at every step of the protocol, then lets the storage
 * misbehave, and prints the tables. Exits 1 when anything was lost, or seen that must not be.
 * `-- --only kills|storage --kills 30 --freeze 12 --seconds 60 --share 0.04 --busy 5 --late 5 --seed 1`:
 * for how many seconds a process stands still, storage misbehaves, a partition is throttled, and a call or an
 * answer is late.
 */
import { parseArgs } from 'node:util';
import { startAzurite } from '../../src/host/local/azurite.js';
import type { Report } from './kill/arena.js';
import { killTable, markdownTable, outcomeTable, violationsOf } from './kill/tables.js';
import { everyKillAndMore, runKills } from './run-kills.js';
import { runStorageFaults } from './run-storage-faults.js';
import { faults, type Fault } from './storage/faulty-proxy.js';

function judge(report: Report): void {
  console.log(`\n${outcomeTable(report)}`);
  const violations = violationsOf(report);
  if (violations.length === 0) return;
  console.error(violations.slice(0, 50).join('\n'));
  process.exitCode = 1;
}

function faultTable(met: ReadonlyMap<Fault, number>): string {
  const rows = Object.entries(faults).map(([name, what]) => [
    `${name}: ${what}`,
    String(met.get(name as Fault) ?? 0),
  ]);
  return markdownTable(['storage request', 'count'], rows);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      kills: { type: 'string', default: String(everyKillAndMore) },
      seconds: { type: 'string', default: '60' },
      share: { type: 'string', default: '0.04' },
      freeze: { type: 'string', default: '12' },
      busy: { type: 'string', default: '5' },
      late: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
    },
  });
  const azurite = await startAzurite();
  try {
    const { connectionString } = azurite;
    const common = { connectionString, seed: Number(values.seed) };
    if (values.only !== 'storage') {
      const report = await runKills({
        ...common,
        prefix: 'kills',
        kills: Number(values.kills),
        freezeMilliseconds: Number(values.freeze) * 1000,
      });
      console.log(killTable(report));
      judge(report);
    }
    if (values.only !== 'kills') {
      const { report, met } = await runStorageFaults({
        ...common,
        prefix: 'faults',
        seconds: Number(values.seconds),
        share: Number(values.share),
        busySeconds: Number(values.busy),
        lateSeconds: Number(values.late),
      });
      console.log(`\n${faultTable(met)}`);
      judge(report);
    }
  } finally {
    await azurite.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
