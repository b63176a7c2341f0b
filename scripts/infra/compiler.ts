/**
 * The Bicep compiler: found on this machine, or restored from NuGet where there is `dotnet`; and what it
 * says of a file, judged.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** What is restored where no compiler is found. */
export const compilerPackage = { name: 'Azure.Bicep.CommandLine.linux-x64', version: '0.49.2' };

export interface Compiler {
  readonly command: string;
  readonly version: string;
}

export interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One thing that the compiler says of a place. */
export interface Diagnostic {
  /** Name of the file without its folders. */
  readonly file: string;
  readonly line: number;
  readonly level: string;
  readonly code: string;
  readonly message: string;
}

function versionOf(command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 ? /\d+\.\d+\.\d+/.exec(stdout)?.[0] : undefined;
}

/** The program of the package that is restored into `folder`. */
function programIn(folder: string): string {
  const { name, version } = compilerPackage;
  return path.join(folder, name.toLowerCase(), version, 'tools/bicep');
}

/** Restores the package into `folder` by `dotnet`. @returns the program, if it came. */
function restore(folder: string): string | undefined {
  const { name, version } = compilerPackage;
  const program = programIn(folder);
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  mkdirSync(folder, { recursive: true });
  const project = path.join(folder, 'restore.csproj');
  writeFileSync(
    project,
    `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
    <RestorePackagesPath>${folder}</RestorePackagesPath>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="${name}" Version="[${version}]" />
  </ItemGroup>
</Project>
`,
  );
  const env = { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' };
  spawnSync('dotnet', ['restore', project], { encoding: 'utf8', env });
  if (!existsSync(program)) return undefined;
  // NuGet keeps no modes.
  chmodSync(program, 0o755);
  return program;
}

function firstThatRuns(candidates: readonly (() => string | undefined)[]): Compiler | undefined {
  for (const candidate of candidates) {
    const command = candidate();
    const version = command === undefined ? undefined : versionOf(command);
    if (command !== undefined && version !== undefined) return { command, version };
  }
  return undefined;
}

/**
 * The compiler that is on this machine: the one that `BICEP` names, and no other then; `bicep` on the
 * path; that of the Azure CLI; one restored into `cache` before.
 */
export function compilerAtHand(
  environment: NodeJS.ProcessEnv,
  cache: string,
): Compiler | undefined {
  const named = environment['BICEP'] ?? '';
  if (named !== '') return firstThatRuns([() => named]);
  const azureCli = path.join(homedir(), '.azure/bin/bicep');
  return firstThatRuns([() => 'bicep', () => azureCli, () => programIn(cache)]);
}

/** The compiler at hand, else the one of NuGet, which is kept in `cache`. */
export function findCompiler(environment: NodeJS.ProcessEnv, cache: string): Compiler | undefined {
  const found = compilerAtHand(environment, cache);
  const isNamed = (environment['BICEP'] ?? '') !== '';
  return found ?? (isNamed ? undefined : firstThatRuns([() => restore(cache)]));
}

/** Runs the compiler with nothing of the azd environment but `variables`. */
export function runCompiler(
  { command }: Compiler,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Run {
  const { PATH = '', HOME = '' } = process.env;
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { PATH, HOME, ...variables },
    maxBuffer: 64 * 1024 ** 2,
  });
  return { status, stdout, stderr };
}

/** The diagnostics in what the compiler wrote. */
export function diagnosticsIn(text: string): readonly Diagnostic[] {
  const pattern = /^(.*)\((\d+),\d+\) : (\w+) ([\w-]+): (.*)$/gm;
  return [...text.matchAll(pattern)].map(
    ([, file = '', line = '', level = '', code = '', message = '']) => ({
      file: path.basename(file),
      line: Number(line),
      level,
      code,
      message,
    }),
  );
}

/** What follows where the registry of the Graph extension cannot be asked, and where it may be seen. */
const withoutRegistry: Readonly<Record<string, readonly string[]>> = {
  BCP192: ['app-registration.bicep'],
  BCP029: ['app-registration.bicep'],
  BCP062: ['app-registration.bicep'],
  BCP104: ['main.bicep', 'main.bicepparam'],
};

/** Whether the registry of the Graph extension was asked in vain. */
export function lacksRegistry(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(
    ({ code, message }) => code === 'BCP192' && message.includes('/extensions/microsoftgraph/'),
  );
}

/** What is wrong with a file, of what a run of the compiler said; nothing is passed over but the above. */
export function faultsOf({ status, stderr, stdout }: Run): readonly string[] {
  const diagnostics = diagnosticsIn(`${stderr}\n${stdout}`);
  const lacking = lacksRegistry(diagnostics);
  const told = diagnostics.filter(
    ({ code, file }) => !(lacking && withoutRegistry[code]?.includes(file) === true),
  );
  if (told.length > 0) {
    const lines = told.map(
      ({ file, line, level, code, message }) => `${file}:${line} ${level} ${code}: ${message}`,
    );
    return [...new Set(lines)];
  }
  if (status === 0 || (lacking && diagnostics.length > 0)) return [];
  return [`the compiler ended with ${status ?? 'a signal'}: ${stderr.trim().split('\n')[0] ?? ''}`];
}
