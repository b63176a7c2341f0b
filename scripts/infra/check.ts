/**
 * Builds, lints, formats and evaluates the templates with the real compiler. Nothing passes that was not
 * looked at: where there is no compiler, the check fails and says so.
 */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  compilerPackage,
  faultsOf,
  findCompiler,
  lacksRegistry,
  runCompiler,
  diagnosticsIn,
} from './compiler.js';
import type { Compiler } from './compiler.js';
import { environments, place, type Environment } from './environments.js';
import { graphTypes } from './graph-types.js';
import { summarize } from './summary.js';
import type { Output } from '../support/output.js';

export interface Ground {
  /** With main.bicep, main.bicepparam and service.bicep. */
  readonly infra: string;
  /** Of the summaries. */
  readonly summaries: string;
  /** Where a restored compiler is kept. */
  readonly cache: string;
  /** For which the templates are evaluated. */
  readonly environments?: readonly Environment[];
}

const parameterFile = 'main.bicepparam';

/** What was found at one step. */
type Say = (what: string, faults: readonly string[]) => void;

/** Every Bicep file of a folder and of those in it. */
function filesOf(infra: string): readonly string[] {
  return readdirSync(infra, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.bicep(?:param)?$/.test(file))
    .sort();
}

/** The argument by which the compiler takes every template of a folder. */
const everyTemplate = (infra: string): readonly string[] => [
  '--pattern',
  `${infra.split(path.sep).join('/')}/**/*.bicep`,
];

/** Formats the copy, and says which files that has changed. */
function checkFormat(compiler: Compiler, infra: string, copy: string, say: Say): void {
  const runs = [
    runCompiler(compiler, ['format', ...everyTemplate(copy)]),
    runCompiler(compiler, ['format', path.join(copy, parameterFile)]),
  ];
  const text = (folder: string, file: string) => readFileSync(path.join(folder, file), 'utf8');
  const changed = filesOf(infra).filter((file) => text(infra, file) !== text(copy, file));
  say('format', [
    ...runs.flatMap(faultsOf),
    ...changed.map((file) => `${file} is not as \`bicep format\` leaves it`),
  ]);
}

/** Lints every template as it is. @returns whether the registry could be asked. */
function checkSources(compiler: Compiler, infra: string, say: Say): boolean {
  const run = runCompiler(compiler, ['lint', ...everyTemplate(infra)]);
  say('templates', faultsOf(run));
  return !lacksRegistry(diagnosticsIn(run.stderr));
}

/** Gives the copy in `folder` the Graph extension of a file. */
function withoutRegistry(compiler: Compiler, folder: string, copy: string): void {
  for (const [name, text] of Object.entries(graphTypes())) {
    writeFileSync(path.join(folder, name), text);
  }
  const target = path.join(folder, 'graph.tgz');
  const args = ['publish-extension', path.join(folder, 'index.json'), '--target', target];
  const { stderr } = runCompiler(compiler, args);
  if (!existsSync(target)) {
    throw new Error(`The stand-in of the Graph extension is refused: ${stderr}`);
  }
  const configFile = path.join(copy, 'bicepconfig.json');
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as { readonly extensions: object };
  const [extension = ''] = Object.keys(config.extensions);
  const extensions = { [extension]: '../graph.tgz' };
  writeFileSync(configFile, JSON.stringify({ ...config, extensions }));
}

/** Builds and lints the copy, where nothing is passed over. */
function checkWhole(compiler: Compiler, copy: string, say: Say): void {
  for (const action of ['build', 'lint']) {
    const run = runCompiler(compiler, [action, ...everyTemplate(copy)]);
    say(`${action}, with the types of Graph at hand`, faultsOf(run));
  }
}

/** Builds the parameters of each environment and evaluates the whole deployment for it. */
function checkEnvironments(
  compiler: Compiler,
  copy: string,
  { summaries, environments: all = environments }: Pick<Ground, 'summaries' | 'environments'>,
  write: boolean,
  say: Say,
): void {
  const file = path.join(copy, parameterFile);
  const snapshotFile = path.join(copy, 'main.snapshot.json');
  const where = Object.entries(place).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ]);
  for (const { name, variables, same, refused } of all) {
    const build = runCompiler(compiler, ['build-params', file, '--stdout'], variables);
    rmSync(snapshotFile, { force: true });
    const snapshot = runCompiler(
      compiler,
      ['snapshot', file, '--mode', 'overwrite', ...where],
      variables,
    );
    if (refused !== undefined) {
      const isRefused = snapshot.status !== 0 && snapshot.stderr.includes(refused);
      say(`environment ${name}`, [...faultsOf(build), ...(isRefused ? [] : ['is not refused'])]);
      continue;
    }
    const faults = [...new Set([...faultsOf(build), ...faultsOf(snapshot)])];
    if (faults.length === 0) {
      const summaryFile = path.join(summaries, `${same ?? name}.txt`);
      const summary = summarize(readFileSync(snapshotFile, 'utf8'));
      if (write && same === undefined) writeFileSync(summaryFile, summary);
      faults.push(
        ...differences(summary, existsSync(summaryFile) ? readFileSync(summaryFile, 'utf8') : ''),
      );
    }
    say(`environment ${name}`, faults);
  }
}

/** Lines that are only in one of both. */
function differences(is: string, expected: string): readonly string[] {
  const [now, then] = [is.split('\n'), expected.split('\n')];
  return [
    ...then.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !then.includes(line)).map((line) => `+ ${line}`),
  ];
}

/**
 * Runs the check.
 *
 * @returns the exit code: 0 when all is clean, 1 when something is not, 2 for bad arguments, 3 when there
 *   is no compiler and nothing was checked.
 */
export function checkInfra(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  ground: Ground,
  { stdout, stderr }: Output,
): number {
  if (args.some((arg) => arg !== '--write')) {
    stderr.write('usage: npm run check:infra -- [--write]\n  --write  writes the summaries anew\n');
    return 2;
  }
  const compiler = findCompiler(environment, ground.cache);
  if (compiler === undefined) {
    const { name, version } = compilerPackage;
    stderr.write(
      `There is no Bicep compiler: nothing was built. Put bicep on the path, name it in BICEP, or install dotnet, by which ${name} ${version} is restored from NuGet.\n`,
    );
    return 3;
  }
  stdout.write(`bicep ${compiler.version}\n`);
  const unclean: string[] = [];
  const say: Say = (what, faults) => {
    if (faults.length > 0) unclean.push(what);
    stdout.write(`${what}: ${faults.length === 0 ? 'clean' : 'not clean'}\n`);
    for (const fault of faults) stdout.write(`  ${fault}\n`);
  };
  const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-infra-'));
  try {
    const copy = path.join(folder, 'infra');
    cpSync(ground.infra, copy, { recursive: true });
    checkFormat(compiler, ground.infra, copy, say);
    if (!checkSources(compiler, ground.infra, say)) {
      stdout.write(
        'The registry of the Graph extension was not reached: its types are those of scripts/infra/graph-types.ts.\n',
      );
    }
    withoutRegistry(compiler, folder, copy);
    checkWhole(compiler, copy, say);
    const write = args.includes('--write');
    checkEnvironments(compiler, copy, ground, write, say);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return unclean.length === 0 ? 0 : 1;
}
