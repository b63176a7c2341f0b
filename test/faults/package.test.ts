/** What is deployed cannot be told to die: the hook of the kill tests is a part of the tests alone. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import packageJson from '../../package.json';

const root = path.join(__dirname, '../..');
const out = mkdtempSync(path.join(tmpdir(), 'dicomweb-package-'));
/** What the hook is made of, and what it does. */
const traces = /hookedTables|hookedBlobs|StepHook|SIGKILL|test\/faults|storageTimeoutMilliseconds/;

let built: readonly string[] = [];

beforeAll(() => {
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--outDir', out, '--noCheck'];
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', ...flags], { cwd: root });
  built = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(out, path.join(entry.parentPath, entry.name)));
}, 120_000);

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

describe('the build', () => {
  it('has the service and nothing of the tests', () => {
    expect(built).toContain(path.join('src', 'host', 'functions', 'azure-functions.js'));
    const folders = new Set(built.map((file) => file.split(path.sep)[0]));
    expect([...folders].sort()).toEqual(['functions', 'scripts', 'src']);
  });

  it('has no trace of the hook that kills a process, where production runs', () => {
    const guilty = built
      .filter(
        (file) => file.endsWith('.js') && !file.endsWith(path.join('host', 'local', 'azurite.js')),
      )
      .filter((file) => traces.test(readFileSync(path.join(out, file), 'utf8')));
    expect(guilty).toEqual([]);
  });
});

describe('what is published', () => {
  const ignored = readFileSync(path.join(root, '.funcignore'), 'utf8').split('\n');

  it('leaves the tests, and what tests compile to, behind', () => {
    expect(ignored).toEqual(expect.arrayContaining(['/test', '*.ts']));
    // Of `dist`, only what `npm run build` makes is there to be published.
    expect(packageJson.scripts.build).toMatch(/rmSync\('dist'/);
  });

  it('starts from the functions alone', () => {
    expect(packageJson.main).toBe('dist/functions/*.js');
  });
});
