/**
 * The speed table: `npm run bench [-- --only path,search] [--rows 4,7] [--rounds 5]
 * [--profile]`. Starts the
 * service over an Azurite, and Orthanc where it is installed; takes our figure and the other one in
 * turns; prints the table of docs/performance.md and writes it to bench/results/.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startAzurite } from '../src/host/local/azurite.js';
import type { Context, Part } from './speed/context.js';
import { latency } from './speed/latency.js';
import { loadTime } from './speed/load-time.js';
import { memoryUnderFrames } from './speed/memory-under-frames.js';
import { metadata } from './speed/metadata.js';
import { startOrthanc } from './speed/orthanc.js';
import { processor } from './speed/processor.js';
import { requestPath } from './speed/request-path.js';
import { render } from './speed/render.js';
import { passes, type Row } from './speed/row.js';
import { search } from './speed/search.js';
import { startService } from './speed/service.js';

const parts: readonly Part[] = [
  requestPath,
  metadata,
  search,
  processor,
  render,
  loadTime,
  memoryUnderFrames,
  latency,
];

const resultsFolder = path.join(__dirname, '../../bench/results');

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function goalText({ goal }: Row): string {
  return 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
}

function tableOf(rows: readonly Row[]): string {
  const head = ['#', 'work', 'against', 'unit', 'ours', 'theirs', 'ratio', 'goal', '', 'calls'];
  const lines = rows.map((row) => [
    row.number,
    row.note === undefined ? row.work : `${row.work}; ${row.note}`,
    row.against,
    row.unit,
    figure(row.ours),
    figure(row.theirs),
    figure(row.ratio),
    goalText(row),
    passes(row) ? 'ok' : 'short',
    row.storageCalls === undefined ? '' : String(row.storageCalls),
  ]);
  const all = [head, head.map(() => '---'), ...lines];
  return all.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function chosenParts(only: string | undefined): readonly Part[] {
  if (only === undefined) return parts;
  return only.split(',').map((name) => {
    const part = parts.find((one) => one.name === name);
    if (part === undefined) {
      throw new Error(`--only takes ${parts.map((one) => one.name).join(', ')}; not ${name}.`);
    }
    return part;
  });
}

function writeResults(rows: readonly Row[], orthanc: string | undefined): string {
  mkdirSync(resultsFolder, { recursive: true });
  const time = new Date().toISOString();
  const file = path.join(resultsFolder, `${time.replaceAll(':', '')}.json`);
  const machine = {
    node: process.version,
    processors: cpus().map(({ model }) => model),
    memoryBytes: totalmem(),
    orthanc,
  };
  writeFileSync(file, `${JSON.stringify({ time, machine, rows }, undefined, 2)}\n`);
  return path.relative(process.cwd(), file);
}

/**
 * Measures a part with servers of its own. They start empty: Azurite finds a row by looking at all of
 * its table, so what another part has left behind would count.
 */
async function measurePart(
  part: Part,
  asked: Pick<Context, 'rounds' | 'wants' | 'progress'>,
  profile: boolean,
): Promise<{ readonly measured: readonly Row[]; readonly orthanc: string | undefined }> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'dicomweb-speed-'));
  const azurite = await startAzurite({ dataDir });
  const { connectionString } = azurite;
  const profiling = profile ? ['--cpu-prof', `--cpu-prof-dir=${resultsFolder}`] : [];
  const service = await startService(connectionString, profiling);
  const orthanc = await startOrthanc();
  if (orthanc === undefined) asked.progress('Orthanc is not installed: its rows are left out');
  try {
    const context = { ...asked, service, connectionString, orthanc };
    return { measured: await part.measure(context), orthanc: orthanc?.version };
  } finally {
    await service.stop();
    await orthanc?.stop();
    await azurite.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rows: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      profile: { type: 'boolean', default: false },
    },
  });
  const chosen = chosenParts(values.only);
  const started = performance.now();
  const progress = (what: string) => {
    const seconds = Math.round((performance.now() - started) / 1000);
    process.stderr.write(`${String(seconds).padStart(4)} s  ${what}\n`);
  };
  mkdirSync(resultsFolder, { recursive: true });
  const numbers = values.rows?.split(',');
  const asked = {
    rounds: Number(values.rounds),
    wants: (row: string) => numbers?.includes(row) ?? true,
    progress,
  };
  const rows: Row[] = [];
  let orthancVersion: string | undefined;
  for (const part of chosen) {
    const { measured, orthanc } = await measurePart(part, asked, values.profile);
    rows.push(...measured);
    orthancVersion = orthanc;
  }
  console.log(tableOf(rows));
  console.log(`\nWritten to ${writeResults(rows, orthancVersion)}`);
  if (values.profile) {
    console.log(
      `The profile is the .cpuprofile in ${path.relative(process.cwd(), resultsFolder)}.`,
    );
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
