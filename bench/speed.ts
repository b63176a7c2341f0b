/**
 * The speed table: `npm run bench [-- --only path,search] [--rows 4,7] [--rounds 5] [--profile] [--write]`. Starts
 * the service over an Azurite, and Orthanc where it is installed; takes our figure and the other one in turns;
 * prints the table, writes it to bench/results/ and, if told so, into docs/performance.md.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startAzurite } from '../src/host/local/azurite.js';
import type { Context, Part } from './speed/context.js';
import { latency } from './speed/latency.js';
import { describeRun, loadNow, tableOf, writeDocument, type Run } from './speed/document.js';
import { loadTime } from './speed/load-time.js';
import { memoryUnderFrames } from './speed/memory-under-frames.js';
import { metadata } from './speed/metadata.js';
import { startOrthanc } from './speed/orthanc.js';
import { processor } from './speed/processor.js';
import { requestPath } from './speed/request-path.js';
import { render } from './speed/render.js';
import type { Row } from './speed/row.js';
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

function writeResults(rows: readonly Row[], { time, load, seconds, orthanc }: Run): string {
  mkdirSync(resultsFolder, { recursive: true });
  const file = path.join(resultsFolder, `${time.replaceAll(':', '')}.json`);
  const machine = {
    node: process.version,
    processors: cpus().map(({ model }) => model),
    memoryBytes: totalmem(),
    orthanc,
    load,
  };
  writeFileSync(file, `${JSON.stringify({ time, seconds, machine, rows }, undefined, 2)}\n`);
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
  const orthanc = part.besideOrthanc === true ? await startOrthanc() : undefined;
  if (part.besideOrthanc === true && orthanc === undefined) {
    asked.progress('Orthanc is not installed: its rows are left out');
  }
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
      rounds: { type: 'string' },
      profile: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const chosen = chosenParts(values.only);
  const load = loadNow();
  const time = new Date().toISOString();
  const started = performance.now();
  const secondsSoFar = () => (performance.now() - started) / 1000;
  const progress = (what: string) => {
    process.stderr.write(`${secondsSoFar().toFixed(0).padStart(4)} s  ${what}\n`);
  };
  mkdirSync(resultsFolder, { recursive: true });
  const numbers = values.rows?.split(',');
  const asked = {
    wants: (row: string) => numbers?.includes(row) ?? true,
    progress,
  };
  const rows: Row[] = [];
  let orthancVersion: string | undefined;
  for (const part of chosen) {
    const rounds = Number(values.rounds ?? part.rounds);
    const before = secondsSoFar();
    const { measured, orthanc } = await measurePart(part, { ...asked, rounds }, values.profile);
    rows.push(...measured);
    orthancVersion ??= orthanc;
    progress(`${part.name} took ${(secondsSoFar() - before).toFixed(0)} s`);
  }
  const run: Run = { time, load, seconds: secondsSoFar(), orthanc: orthancVersion };
  console.log(`${tableOf(rows)}\n\n${describeRun(run)}`);
  console.log(`\nWritten to ${writeResults(rows, run)}`);
  if (values.write) writeDocument(rows, run);
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
