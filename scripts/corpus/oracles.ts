/**
 * Runs the two independent readers over the corpus: pydicom (through `oracle.py`) and dcmtk's
 * dcm2json. Either may be missing; the run then says so and does with less.
 */
import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { InstanceAddress } from '../support/dicomweb-client.js';
import type { Oracle } from './compare.js';
import { normalise } from './normal-form.js';
import type { NormalDataSet } from './normal-form.js';

const run = promisify(execFile);

/** What the oracles know of one file. */
export interface Testimony {
  /** Why a service has to refuse the file, says pydicom; `undefined` when it can be stored. */
  readonly refusal?: string;
  readonly uids?: InstanceAddress;
  readonly oracles: readonly Oracle[];
}

export interface Testimonies {
  /** By file name relative to the corpus. */
  readonly byFile: ReadonlyMap<string, Testimony>;
  /** The oracles that took part. */
  readonly present: readonly string[];
  /** Why others did not. */
  readonly absent: readonly string[];
}

const lostInCopy = new Set(['7FE00010', 'FFFCFFFC']);
const maxOutput = 256 * 1024 * 1024;
/** Which Python has pydicom differs: a package of the system is not seen by one in a home directory. */
const pythons = ['python3', '/usr/bin/python3'];

/** Asks every oracle that is installed about every file. */
export async function consultOracles(
  corpus: string,
  files: readonly string[],
  script: string,
  onFile: (file: string) => void,
): Promise<Testimonies> {
  const python = await firstThat(pythons, hasPydicom);
  const pydicom =
    python === undefined ? undefined : await askPydicom(python, script, corpus, files);
  const environment = await dcmtkEnvironment();
  const dcmtk = environment !== undefined;
  const byFile = new Map<string, Testimony>();
  for (const file of files) {
    const told = pydicom?.get(file);
    const said: Oracle[] = [];
    if (told?.dataSet !== undefined)
      said.push({ name: 'pydicom', dataSet: normalise(told.dataSet) });
    if (dcmtk && typeof told?.refusal !== 'string') {
      const oracle = await askDcmtk(join(corpus, file), environment);
      if (oracle !== undefined) said.push(oracle);
    }
    byFile.set(file, {
      ...(typeof told?.refusal === 'string' && { refusal: told.refusal }),
      ...(told?.uids !== undefined && { uids: told.uids }),
      oracles: said,
    });
    onFile(file);
  }
  return {
    byFile,
    present: [...(pydicom === undefined ? [] : ['pydicom']), ...(dcmtk ? ['dcm2json'] : [])],
    absent: [
      ...(pydicom === undefined ? ['pydicom (Debian package python3-pydicom)'] : []),
      ...(dcmtk ? [] : ['dcm2json (Debian package dcmtk)']),
    ],
  };
}

interface PydicomLine {
  readonly file: string;
  readonly refusal: string | null;
  readonly uids?: InstanceAddress;
  readonly dataSet?: unknown;
}

async function hasPydicom(python: string): Promise<boolean> {
  return await succeeds(python, ['-c', 'import pydicom']);
}

async function askPydicom(
  python: string,
  script: string,
  corpus: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, PydicomLine>> {
  const child = spawn(python, [script, corpus], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.end(`${files.join('\n')}\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const lines = Buffer.concat(chunks).toString('utf8').split('\n').filter(Boolean);
  if (lines.length !== files.length) {
    throw new Error(`${script} answered for ${lines.length} of ${files.length} files`);
  }
  return new Map(
    lines.map((line) => {
      const answer = JSON.parse(line) as PydicomLine;
      return [answer.file, answer];
    }),
  );
}

/** The environment for dcmtk without its private dictionary, or nothing when it is not installed. */
async function dcmtkEnvironment(): Promise<NodeJS.ProcessEnv | undefined> {
  if (!(await succeeds('dcm2json', ['--version']))) return undefined;
  if (process.env['DCMDICTPATH'] !== undefined) return process.env;
  const shared = '/usr/share';
  const folders = (await readdir(shared).catch(() => [])).filter((name) => /dcmtk/.test(name));
  const dictionary = await firstThat(
    folders.map((folder) => join(shared, folder, 'dicom.dic')),
    async (path) => await succeeds('test', ['-f', path]),
  );
  return dictionary === undefined ? process.env : { ...process.env, DCMDICTPATH: dictionary };
}

/**
 * dcm2json cannot write compressed pixel data: that is taken out of a copy, and the oracle is silent
 * on it and on the trailing padding, which gets lost on the way.
 */
async function askDcmtk(path: string, env: NodeJS.ProcessEnv): Promise<Oracle | undefined> {
  const dataSet = await dcm2json(path, env);
  if (dataSet !== undefined) return { name: 'dcm2json', dataSet };
  const folder = await mkdtemp(join(tmpdir(), 'corpus-'));
  const copy = join(folder, 'copy.dcm');
  try {
    await copyFile(path, copy);
    await succeeds('dcmodify', ['-q', '-nb', '-imt', '-ea', '(7fe0,0010)', copy]);
    const rest = await dcm2json(copy, env);
    return rest && { name: 'dcm2json', dataSet: rest, silentOn: lostInCopy };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function dcm2json(path: string, env: NodeJS.ProcessEnv): Promise<NormalDataSet | undefined> {
  try {
    const { stdout } = await run('dcm2json', ['-q', '-fc', path], { env, maxBuffer: maxOutput });
    return normalise(JSON.parse(stdout));
  } catch {
    return undefined;
  }
}

async function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return await run(command, args).then(
    () => true,
    () => false,
  );
}

async function firstThat<T>(
  candidates: readonly T[],
  test: (candidate: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const candidate of candidates) if (await test(candidate)) return candidate;
  return undefined;
}
