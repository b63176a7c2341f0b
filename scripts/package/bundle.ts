/**
 * Bundles what is deployed: all functions and what they are made of in one file, and each worker, which is started by the name of
 * its file, in another. To open hundreds of small files was the greater part of a cold start
 * (docs/decisions/0025-the-package-is-bundled.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageOf, readJson } from './locked-packages.js';

/** Modules that stay outside, as the code names them. */
const outside = [
  // There is one library to a worker, which looks for it here.
  '@azure/functions',
  // The worker injects it.
  '@azure/functions-core',
  // Colours for a terminal, which `debug` does without.
  'supports-color',
];

/** Packages that the bundles load by name while they run: the library, and the codecs with their WebAssembly. */
export const loadedByName = /^@azure\/functions$|^@cornerstonejs\/codec-/;

const workers = ['src/host/workers/header-worker.ts', 'src/host/workers/pixel-worker.ts'];

interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }
    >
  >;
}

/**
 * Runs the bundler. Names stay as they are, so that stacks can be read; a comment before each part of a bundle names its source.
 *
 * @returns files that are in the output.
 */
function runBundler(root: string, input: string, options: readonly string[]): readonly string[] {
  const scratch = mkdtempSync(path.join(tmpdir(), 'bundle-'));
  const metafile = path.join(scratch, 'meta.json');
  try {
    execFileSync(
      process.execPath,
      [
        path.join(root, 'node_modules/esbuild-wasm/bin/esbuild'),
        ...options,
        ...outside.map((name) => `--external:${name}`),
        '--bundle',
        '--platform=node',
        '--format=cjs',
        '--target=node20',
        // A module of the SDKs asks where it lies.
        '--banner:js=const fileUrl = require("node:url").pathToFileURL(__filename).href;',
        '--define:import.meta.url=fileUrl',
        '--legal-comments=none',
        '--log-level=warning',
        `--metafile=${metafile}`,
      ],
      { cwd: root, input },
    );
    const { outputs } = readJson(metafile) as Metafile;
    return Object.values(outputs).flatMap(({ inputs }) =>
      Object.keys(inputs).filter((file) => (inputs[file]?.bytesInOutput ?? 0) > 0),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Writes the bundles into a folder: `functions/functions.js`, and the workers where the compiler puts them.
 *
 * @returns folders of the packages whose code is in them, relative to the repository.
 */
export function bundle(root: string, dist: string): readonly string[] {
  const functions = readdirSync(path.join(root, 'functions')).sort();
  const entry = functions.map((file) => `import './functions/${file}';\n`).join('');
  const files = [
    ...runBundler(root, entry, [
      '--loader=ts',
      '--sourcefile=functions.ts',
      `--outfile=${path.join(dist, 'functions/functions.js')}`,
    ]),
    ...runBundler(root, '', [...workers, '--outbase=.', `--outdir=${dist}`]),
  ];
  const packages = files.map(packageOf).filter((folder) => folder !== undefined);
  return [...new Set(packages)].sort();
}
