/**
 * Compiles the service and its tools into `dist/` when a source has changed since the last time. The compiler itself takes
 * more than half a second to find out that it has nothing to do.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
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

const digest = digestOfSources();
if (compiledDigest() !== digest) {
  rmSync(stamp, { force: true });
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const parameters = [compiler, '-b', path.join(root, 'tsconfig.build.json')];
  const { status } = spawnSync(process.execPath, parameters, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, digest);
}
