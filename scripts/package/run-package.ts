/** Stages, zips and measures the package, and says what came out. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { filesIn } from './prune.js';
import { PackageError } from './locked-packages.js';
import { stage } from './stage.js';
import { zipFolder } from './zip.js';
import type { Output } from '../support/output.js';

/** What became of the package when it was started (test/infra/start-package.ts). */
export interface Start {
  /** From the first `require` to the last function registered. */
  readonly loadMilliseconds: number;
  /** From the same moment to the answer to a first request. */
  readonly answeredMilliseconds: number;
  /** Of the processor, in the same time. */
  readonly processorMilliseconds: number;
  readonly functions: number;
  /** Files that were loaded. */
  readonly modules: number;
  /** Files that were loaded from elsewhere. */
  readonly strays: readonly string[];
  /** What a request without a token is answered. */
  readonly statusWithoutToken: number;
}

const root = path.join(__dirname, '../..');
const usage = `usage: npm run package [-- --out FOLDER]
  --out  where it is built (default .package): the folder app, and dicomweb-functions.zip
`;
const mebibyte = 1024 ** 2;

/**
 * Starts the package in a process of its own, with a stand-in for the worker of Azure Functions, and in a folder with
 * nothing above it: packages of the repository must not stand in for missing ones.
 *
 * @throws Error when it does not start; the process says why.
 */
export function startPackage(app: string): Start {
  const runner = path.join(root, 'test/support/run-typescript.mjs');
  const starter = path.join(root, 'test/infra/start-package.ts');
  const alone = mkdtempSync(path.join(tmpdir(), 'package-'));
  try {
    cpSync(app, alone, { recursive: true });
    const output = execFileSync(process.execPath, [runner, starter, alone], {
      encoding: 'utf8',
      // Nothing of this machine: no settings, no NODE_PATH.
      env: { PATH: process.env['PATH'] },
    });
    return JSON.parse(output) as Start;
  } finally {
    rmSync(alone, { recursive: true, force: true });
  }
}

function faultsOf({ strays, statusWithoutToken }: Start): readonly string[] {
  return [
    ...strays.map((file) => `${file} was loaded from outside the package`),
    ...(statusWithoutToken === 401
      ? []
      : [`a request without a token was answered ${statusWithoutToken}, not 401`]),
  ];
}

/**
 * Runs the script.
 *
 * @returns the exit code: 0 for a package that starts, 1 when there is none, 2 for bad arguments.
 */
export async function runPackage(
  args: readonly string[],
  { stdout, stderr }: Output,
): Promise<number> {
  let out: string;
  try {
    const { values } = parseArgs({ args: [...args], options: { out: { type: 'string' } } });
    out = path.resolve(values.out ?? path.join(root, '.package'));
  } catch {
    stderr.write(usage);
    return await Promise.resolve(2);
  }
  const app = path.join(out, 'app');
  try {
    stage(root, app);
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  }
  const zip = path.join(out, 'dicomweb-functions.zip');
  writeFileSync(zip, zipFolder(app));
  const files = filesIn(app);
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const start = startPackage(app);
  stdout.write(
    `${path.relative(process.cwd(), app)}: ${(bytes / mebibyte).toFixed(1)} MiB in ${files.length} files, ` +
      `zipped ${(statSync(zip).size / mebibyte).toFixed(1)} MiB\n` +
      `${start.functions} functions, loaded in ${start.loadMilliseconds} ms from ${start.modules} files\n`,
  );
  const faults = faultsOf(start);
  for (const fault of faults) stderr.write(`${fault}\n`);
  return faults.length === 0 ? 0 : 1;
}
