/** The package that is deployed: what is in it, and that it starts from nothing but its folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import packageJson from '../../package.json';
import { filesIn } from '../../scripts/package/prune.js';
import { runPackage, startPackage } from '../../scripts/package/run-package.js';
import { encodableSyntaxes } from '../../src/dicom/pixel/codecs.js';
import { licenceList, listLicences } from '../../scripts/package/licences.js';
import {
  bundledPackages,
  installedIn,
  productionPackages,
} from '../../scripts/package/locked-packages.js';
import { billOfMaterials } from '../../scripts/package/stage.js';

const root = path.join(__dirname, '../..');
const out = mkdtempSync(path.join(tmpdir(), 'dicomweb-package-'));
const app = path.join(out, 'app');
const written: string[] = [];
/** Packages of others whose work is in the package: installed, or bundled into the page. */
const passedOn = [...productionPackages(root), ...bundledPackages(root)];
const output = { write: (text: string) => written.push(text) };

let code: number | undefined;
let files: readonly string[] = [];

beforeAll(async () => {
  code = await runPackage(['--out', out], { stdout: output, stderr: output });
  files = filesIn(app).map((file) => path.relative(app, file).split(path.sep).join('/'));
}, 300_000);

afterAll(() => {
  rmSync(out, { recursive: true, force: true });
});

describe('npm run package', () => {
  it('makes a package that starts, and says how large it is', () => {
    expect(written.join('')).toMatch(/MiB in \d+ files, zipped .* MiB\n\d+ functions, loaded in/);
    expect(code).toBe(0);
  });

  it('stays small, for every cold start unpacks it', () => {
    const bytes = files.reduce((sum, file) => sum + statSync(path.join(app, file)).size, 0);
    expect(bytes).toBeLessThan(32 * 1024 ** 2);
    expect(files.length).toBeLessThan(2500);
  });

  it('compiles the functions, what they are made of and the page, and no more', () => {
    const compiled = files.filter((file) => file.startsWith('dist/'));
    const folders = new Set(compiled.map((file) => file.split('/')[1]));
    expect([...folders].sort()).toEqual(['functions', 'src', 'web']);
    expect(compiled).toContain('dist/src/host/functions/azure-functions.js');
    const isPage = (file: string) => file.startsWith('dist/web/');
    expect(compiled.filter((file) => !file.endsWith('.js') && !isPage(file))).toEqual([]);
    expect(compiled).toContain('dist/web/index.html');
  });

  it('tells what is in it, as CycloneDX, the same each time', () => {
    const bill = JSON.parse(readFileSync(path.join(app, billOfMaterials), 'utf8')) as {
      readonly bomFormat: string;
      readonly serialNumber?: string;
      readonly metadata: { readonly timestamp?: string; readonly component: { name: string } };
      readonly components: readonly {
        readonly name: string;
        readonly version: string;
        readonly licenses?: readonly unknown[];
      }[];
    };
    expect(bill).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: packageJson.name } },
    });
    expect(bill.serialNumber ?? bill.metadata.timestamp).toBeUndefined();
    const inside = passedOn.map((folder) => {
      const { name, version } = installedIn(root, folder);
      return `${name}@${version}`;
    });
    const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
    expect([...new Set(listed)].sort()).toEqual([...new Set(inside)].sort());
  });

  it('names the licence of everything in it, with its text, that of the page’s packages too', () => {
    const list = readFileSync(path.join(app, licenceList), 'utf8');
    for (const folder of passedOn) {
      const { name, version, license } = installedIn(root, folder);
      expect(list).toContain(`${name} ${version}\nLicence: ${license}\n`);
    }
    expect(bundledPackages(root)).toEqual(
      expect.arrayContaining(['node_modules/preact', 'node_modules/@preact/signals-core']),
    );
    expect(list).toContain('Copyright (c) 2015-present Jason Miller');
  });

  it('is not made of a package that names no licence', () => {
    const bare = mkdtempSync(path.join(tmpdir(), 'dicomweb-licence-'));
    writeFileSync(path.join(bare, 'package.json'), '{"name":"bare","version":"1.0.0"}');
    expect(() => listLicences(bare, ['.'])).toThrow('names no licence');
    rmSync(bare, { recursive: true });
  });

  it('has nothing beside that but the host’s file, the manifest, the bill and the licences', () => {
    const others = files.filter((file) => !/^(?:dist|node_modules)\//.test(file));
    expect([...others].sort()).toEqual(
      ['LICENSE', 'host.json', 'package.json', billOfMaterials, licenceList].sort(),
    );
  });

  it('has every dependency of production and none of development', () => {
    const manifests = files.filter((file) =>
      /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(file),
    );
    expect(manifests.map((file) => path.posix.dirname(file)).sort()).toEqual(
      [...productionPackages(root)].sort(),
    );
    for (const name of Object.keys(packageJson.devDependencies)) {
      expect(existsSync(path.join(app, 'node_modules', name))).toBe(false);
    }
  });

  it('keeps the licences of dependencies, and leaves maps, types, documents and tests behind', () => {
    expect(files).toContain('node_modules/jose/LICENSE.md');
    const documents = files.filter((file) => /\.(?:map|[cm]?ts|html|ya?ml|dcm)$/.test(file));
    expect(documents).toEqual(['dist/web/index.html']);
  });

  it('has no trace of the hook that kills a process in tests', () => {
    const traces = /hookedTables|hookedBlobs|StepHook|SIGKILL|test\/faults/;
    const guilty = files
      .filter((file) => file.startsWith('dist/') && !file.endsWith('/azurite.js'))
      .filter((file) => traces.test(readFileSync(path.join(app, file), 'utf8')));
    expect(guilty).toEqual([]);
  });

  it('names no dependency that is missing', () => {
    const code = files
      .filter((file) => file.startsWith('dist/'))
      .map((file) => readFileSync(path.join(app, file), 'utf8'))
      .join('\n');
    const required = new Set(
      [...code.matchAll(/(?:require|import)\("((?:@[\w-]+\/)?[\w-]+)["/]/g)].map(
        ([, name = '']) => name,
      ),
    );
    const known = [...Object.keys(packageJson.dependencies), '@azure/functions-core'];
    // Azurite is what the local server starts; on Azure nothing asks for it.
    const missing = [...required].filter(
      (name) => !known.includes(name) && !/^node:/.test(name) && name !== 'azurite',
    );
    expect(missing).toEqual([]);
  });

  it('has the workers that are started by the name of their file', () => {
    const named = files
      .filter((file) => file.startsWith('dist/'))
      .flatMap((file) =>
        [
          ...readFileSync(path.join(app, file), 'utf8').matchAll(/['"]([\w./-]*-worker\.js)['"]/g),
        ].map(([, name = '']) => path.posix.join(path.posix.dirname(file), name)),
      );
    expect(named.filter((file) => !files.includes(file))).toEqual([]);
  });

  it('makes a zip that others can read, of the same files', () => {
    const zip = readFileSync(path.join(out, 'dicomweb-functions.zip'));
    const end = zip.length - 22;
    expect(zip.readUInt32LE(end)).toBe(0x06054b50);
    expect(zip.readUInt16LE(end + 10)).toBe(files.length);
    const python = `import zipfile; z = zipfile.ZipFile(${JSON.stringify(path.join(out, 'dicomweb-functions.zip'))}); assert z.testzip() is None; print(len(z.namelist()))`;
    let said: string;
    try {
      said = execFileSync('python3', ['-c', python], { encoding: 'utf8', stdio: 'pipe' });
    } catch {
      return; // No Python here: the structure above has to do.
    }
    expect(Number(said)).toBe(files.length);
  });
});

describe('the package, started from its folder', () => {
  it('registers every function, loads nothing from elsewhere, and is locked', () => {
    const { functions, strays, statusWithoutToken } = startPackage(app);
    expect(functions).toBeGreaterThan(50);
    expect(strays).toEqual([]);
    expect(statusWithoutToken).toBe(401);
  }, 120_000);
});

describe('the codecs of the package', () => {
  it('encode and decode every transfer syntax, with what was left of them', () => {
    const runner = path.join(root, 'test/support/run-typescript.mjs');
    const said = execFileSync(
      process.execPath,
      [runner, path.join(root, 'test/infra/try-codecs.ts'), app],
      { encoding: 'utf8', env: { PATH: process.env['PATH'] } },
    );
    const { outcomes, strays } = JSON.parse(said) as {
      readonly outcomes: Readonly<Record<string, string>>;
      readonly strays: readonly string[];
    };
    expect(strays).toEqual([]);
    expect(outcomes).toEqual(Object.fromEntries(encodableSyntaxes.map((uid) => [uid, 'back'])));
  }, 120_000);
});

describe('runPackage', () => {
  it('refuses arguments that it does not know', async () => {
    expect(await runPackage(['--nonsense'], { stdout: output, stderr: output })).toBe(2);
  });
});
