/**
 * `npm run test:faults`: kills processes at every step of the protocol, then lets the storage
 * misbehave, then adds query tags beside stores and deletes, and prints the tables. Exits 1 when anything was lost,
 * or seen that must not be.
 * `-- --only kills|storage|reindex --instances 10000 --clients 8 --kills 30 --freeze 12 --seconds 60 --share 0.04 --busy 5 --late 5 --seed 1`:
 * for how many seconds a process stands still, storage misbehaves, a partition is throttled, and a call or an
 * answer is late.
 */
import { parseArgs } from 'node:util';
import { startAzurite } from '../../src/host/local/azurite.js';
import type { Report } from './kill/arena.js';
import { killTable, markdownTable, outcomeTable, violationsOf } from './kill/tables.js';
import { everyKillAndMore, runKills } from './run-kills.js';
import { reindexBesideStores, type ReindexRun } from './reindex/beside-stores.js';
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

async function reindex(run: ReindexRun): Promise<void> {
  const started = performance.now();
  const processor = process.cpuUsage();
  const report = await reindexBesideStores(run);
  const { before, stored, deleted, outOfTime, atTheEnd, errors } = report;
  const { scanned, tableCallsOfTheJob, missing, wrong, findings, rowsLeft, unexpected } = report;
  const rows: readonly (readonly [string, number])[] = [
    ['instances before the tags were added', before],
    ['stored meanwhile', stored],
    ['deletes meanwhile', deleted],
    ['requests that did not end in their time', outOfTime],
    ['instances at the end', atTheEnd],
    ['values that cannot be indexed', errors],
    ['table calls of the job', tableCallsOfTheJob],
    ['values that a scan finds', scanned],
    ['of these not found by searches', missing.length],
    ['found by searches, and not by the scan', wrong.length],
    ['findings of the store check', findings.length],
    ['rows left when the tags were removed', rowsLeft],
    ['unexpected answers', unexpected.length],
    ['seconds', Math.round((performance.now() - started) / 1000)],
    ['seconds of processor time', Math.round(process.cpuUsage(processor).user / 1_000_000)],
  ];
  const text = rows.map(([what, count]) => [what, String(count)]);
  console.log(`\n${markdownTable(['adding query tags', 'count'], text)}`);
  const violations = [...missing, ...wrong, ...findings, ...unexpected];
  if (violations.length + rowsLeft === 0) return;
  console.error(violations.slice(0, 50).join('\n'));
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      instances: { type: 'string', default: '10000' },
      clients: { type: 'string', default: '8' },
      kills: { type: 'string', default: String(everyKillAndMore) },
      seconds: { type: 'string', default: '60' },
      share: { type: 'string', default: '0.04' },
      freeze: { type: 'string', default: '12' },
      busy: { type: 'string', default: '5' },
      late: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
    },
  });
  const { only } = values;
  if (only === undefined || only === 'reindex') {
    await reindex({
      instances: Number(values.instances),
      clients: Number(values.clients),
      seed: Number(values.seed),
    });
  }
  if (only === 'reindex') return;
  const azurite = await startAzurite();
  try {
    const { connectionString } = azurite;
    const common = { connectionString, seed: Number(values.seed) };
    if (only !== 'storage') {
      const report = await runKills({
        ...common,
        prefix: 'kills',
        kills: Number(values.kills),
        freezeMilliseconds: Number(values.freeze) * 1000,
      });
      console.log(killTable(report));
      judge(report);
    }
    if (only !== 'kills') {
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
