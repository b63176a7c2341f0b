/** Talks to `oracle.py`, which reads files with decoders that are not ours. */
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { InstanceAddress } from '../support/dicomweb-client.js';

const run = promisify(execFile);

/** A file with pixel data. */
export interface Source {
  /** Name within the corpus. */
  readonly file: string;
  /** Where it is read: elsewhere when it had to be completed. */
  readonly path: string;
  readonly syntax: string;
  /** Keyword of its pixel data. */
  readonly pixels: string;
  readonly address: InstanceAddress;
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly interpretation: string;
}

/** What became of one file in one transfer syntax, according to the decoders. */
export interface Verdict {
  readonly ok: boolean;
  /** Who read the original, and who the result. */
  readonly by: string;
  /** Largest difference of a sample, and the mean of all. */
  readonly worst?: number;
  readonly mean?: number;
  readonly why?: string;
}

export interface Job {
  readonly original: string;
  /** Transfer syntax → file in it. */
  readonly candidates: Readonly<Record<string, string>>;
}

export interface Oracle {
  /** Files of a folder that have pixel data. */
  list(corpus: string): Promise<readonly Source[]>;
  /** Compares an original with its transcoded forms. Two are compared at a time. */
  compare(job: Job): Promise<ReadonlyMap<string, Verdict>>;
  close(): Promise<void>;
}

/** What is needed, and the package of Debian that has it. */
const tools: Readonly<Record<string, string>> = {
  gdcmconv: 'libgdcm-tools',
  dcmdjpeg: 'dcmtk',
  dcmdjpls: 'dcmtk',
  dcmdrle: 'dcmtk',
  opj_decompress: 'libopenjp2-tools',
};
/** Which Python has pydicom differs: a package of the system is not seen by one in a home directory. */
const pythons = ['python3', '/usr/bin/python3'];

/** Packages that have to be installed first. */
export async function missingPackages(): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const [tool, name] of Object.entries(tools)) {
    if (!(await starts('sh', ['-c', `command -v ${tool}`]))) missing.add(name);
  }
  if ((await pythonWithPydicom()) === undefined) {
    missing.add('python3-pydicom').add('python3-numpy');
  }
  return [...missing];
}

/**
 * Starts the oracle.
 *
 * @param scratch folder for files that it makes.
 * @throws Error when its Python is not installed, which `missingPackages` tells.
 */
export async function startOracle(script: string, scratch: string): Promise<Oracle> {
  const python = await pythonWithPydicom();
  if (python === undefined) throw new Error('There is no Python with pydicom.');
  const child = spawn(python, [script, 'compare', scratch], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<string, (answer: Answer) => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.original)?.(answer);
    waiting.delete(answer.original);
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  void ended.then((code) => {
    for (const [original, answer] of waiting) {
      answer({ original, results: {}, gone: `oracle.py ended with ${String(code)}` });
    }
  });

  return {
    list: async (corpus) => {
      const { stdout } = await run(python, [script, 'list', corpus, scratch], {
        maxBuffer: 64 * 1024 ** 2,
      });
      return stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Source);
    },
    compare: async (job) => {
      const { results, gone } = await new Promise<Answer>((resolve) => {
        waiting.set(job.original, resolve);
        child.stdin.write(`${JSON.stringify(job)}\n`);
      });
      if (gone !== undefined) throw new Error(gone);
      return new Map(Object.entries(results));
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

interface Answer {
  readonly original: string;
  readonly results: Readonly<Record<string, Verdict>>;
  readonly gone?: string;
}

async function pythonWithPydicom(): Promise<string | undefined> {
  for (const python of pythons) {
    if (await starts(python, ['-c', 'import pydicom, numpy'])) return python;
  }
  return undefined;
}

async function starts(command: string, args: readonly string[]): Promise<boolean> {
  return await run(command, args).then(
    () => true,
    () => false,
  );
}
