/** What is deployed cannot be told to die: the hook of the kill tests is a part of the tests alone. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import packageJson from '../../package.json';
import buildConfig from '../../tsconfig.build.json';

const root = path.join(__dirname, '../..');
/** What the hook is made of, and what it does. */
const traces = /hookedTables|hookedBlobs|StepHook|SIGKILL|test\/faults|storageTimeoutMilliseconds/;
const folders = ['functions', 'scripts', 'src'] as const;

/** TypeScript files of the build, relative to the repository. */
const sources = folders.flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => path.join(folder, name)),
);
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8');

describe('the build', () => {
  it('has the service and nothing of the tests', () => {
    expect(buildConfig.include).toEqual(folders);
    expect(sources).toContain(path.join('src', 'host', 'functions', 'azure-functions.ts'));
    const imported = sources.flatMap((file) =>
      [...textOf(file).matchAll(/(?:from|import\(|import)\s*'(\.[^']+)'/g)].map(
        ([, name = '']) => path.normalize(path.join(path.dirname(file), name)).split(path.sep)[0],
      ),
    );
    expect(new Set(imported)).toEqual(new Set(folders.filter((folder) => folder !== 'functions')));
  });

  it('has no trace of the hook that kills a process, where production runs', () => {
    const guilty = sources
      .filter((file) => !file.endsWith(path.join('host', 'local', 'azurite.ts')))
      .filter((file) => traces.test(textOf(file)));
    expect(guilty).toEqual([]);
  });
});

describe('what is published', () => {
  const ignored = textOf('.funcignore').split('\n');

  it('leaves the tests, and what tests compile to, behind', () => {
    expect(ignored).toEqual(expect.arrayContaining(['/test', '*.ts']));
    // Of `dist`, only what `npm run build` makes is there to be published.
    expect(packageJson.scripts.build).toMatch(/rmSync\('dist'/);
  });

  it('starts from the functions alone', () => {
    expect(packageJson.main).toBe('dist/functions/*.js');
  });
});
