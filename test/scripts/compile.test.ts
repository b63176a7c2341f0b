import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const script = path.join(__dirname, '../../scripts/compile.mjs');
/** Counts its runs; fails where the source says so. */
const compiler = `
const fs = require('node:fs');
fs.appendFileSync('runs', 'run ');
process.exitCode = fs.readFileSync('src/a.ts', 'utf8').includes('wrong') ? 2 : 0;
`;

describe('compile.mjs', () => {
  let folder = '';
  const file = (name: string) => path.join(folder, name);

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-compile-'));
    for (const name of ['functions', 'scripts', 'src', 'node_modules/typescript/bin']) {
      mkdirSync(file(name), { recursive: true });
    }
    for (const name of ['package', 'package-lock', 'tsconfig', 'tsconfig.build']) {
      writeFileSync(file(`${name}.json`), '{}');
    }
    cpSync(script, file('scripts/compile.mjs'));
    writeFileSync(file('node_modules/typescript/bin/tsc'), compiler);
    writeFileSync(file('src/a.ts'), 'export {};');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** The exit code, and how often the compiler has run so far. */
  function compile(): readonly [number | null, number] {
    const { status } = spawnSync(process.execPath, [file('scripts/compile.mjs')], { cwd: folder });
    return [status, readFileSync(file('runs'), 'utf8').split(' ').length - 1];
  }

  it('runs the compiler only when a source has been written, added or removed', () => {
    expect([compile(), compile()]).toEqual([
      [0, 1],
      [0, 1],
    ]);
    writeFileSync(file('src/a.ts'), 'export default 1;');
    expect([compile(), compile()]).toEqual([
      [0, 2],
      [0, 2],
    ]);
    writeFileSync(file('src/b.ts'), '');
    expect(compile()).toEqual([0, 3]);
    rmSync(file('src/b.ts'));
    expect(compile()).toEqual([0, 4]);
    rmSync(file('dist'), { recursive: true });
    expect(compile()).toEqual([0, 5]);
  });

  it('runs the script that is named, in the same process, with its arguments', () => {
    mkdirSync(file('dist'));
    const tool = 'console.log(process.argv.slice(1).join()); process.exitCode = 3;';
    writeFileSync(file('dist/tool.js'), tool);
    const parameters = [file('scripts/compile.mjs'), 'dist/tool.js', '--url', 'x'];
    const options = { cwd: realpathSync(folder), encoding: 'utf8' } as const;
    const { status, stdout } = spawnSync(process.execPath, parameters, options);
    expect([status, stdout]).toEqual([3, `${realpathSync(file('dist/tool.js'))},--url,x\n`]);
    writeFileSync(file('src/a.ts'), 'wrong');
    expect(spawnSync(process.execPath, parameters, options).stdout).toBe('');
  });

  it('runs it again after it has failed', () => {
    writeFileSync(file('src/a.ts'), 'wrong');
    expect([compile(), compile()]).toEqual([
      [2, 1],
      [2, 2],
    ]);
  });
});
