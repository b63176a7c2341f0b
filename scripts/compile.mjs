/**
 * Compiles the service and its tools into `dist/` when a source has changed since the last time, and runs one of them:
 * `node scripts/compile.mjs [SCRIPT ...arguments]`. The compiler itself takes more than half a second to find out that it has
 * nothing to do, and another process a tenth of one to begin.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import module, { createRequire } from 'node:module';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const stamp = path.join(root, 'dist/.compiled');
const folders = ['functions', 'scripts', 'src'];
const settings = ['package-lock.json', 'package.json', 'tsconfig.build.json', 'tsconfig.json'];

/** What tells that a file has been written: no two versions of it are as long and as old. */
function digestOfSources() {
  const sources = folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(path.relative(root, entry.parentPath), entry.name)),
  );
  const hash = createHash('sha256');
  for (const file of [...sources.sort(), ...settings]) {
    const { mtimeMs, size } = statSync(path.join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function compiledDigest() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}

const load = createRequire(import.meta.url);
const digest = digestOfSources();
if (compiledDigest() !== digest) {
  rmSync(stamp, { force: true });
  const compiler = load.resolve('typescript/bin/tsc');
  const parameters = [compiler, '-b', path.join(root, 'tsconfig.build.json')];
  const { status } = spawnSync(process.execPath, parameters, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}

const [, , script] = process.argv;
if (script !== undefined) {
  const file = path.resolve(script);
  process.argv.splice(1, 2, file);
  // Node 22.8 and later keep what they have compiled for the next start.
  module.enableCompileCache?.();
  load(file);
}
