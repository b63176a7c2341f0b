/** The package that is deployed: what is in it, and that it starts from nothing but its folder. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import packageJson from '../../package.json';
import { filesIn } from '../../scripts/package/prune.js';
import { runPackage, startPackage } from '../../scripts/package/run-package.js';
import { encodableSyntaxes } from '../../src/dicom/pixel/codecs.js';
import { licenceList, listLicences } from '../../scripts/package/licences.js';
import {
  installedIn,
  packageOf,
  packagesOfPage,
  productionPackages,
} from '../../scripts/package/locked-packages.js';
import { billOfMaterials } from '../../scripts/package/stage.js';

const root = path.join(__dirname, '../..');
const out = mkdtempSync(path.join(tmpdir(), 'dicomweb-package-'));
const app = path.join(out, 'app');
const written: string[] = [];
const output = { write: (text: string) => written.push(text) };

let code: number | undefined;
let files: readonly string[] = [];
/** Packages of others whose work is in the package: copied, in the bundles of the service, or in the page. */
let passedOn: readonly string[] = [];

/** A script of the tests, in a process of its own, with nothing of this machine's environment. */
function run(script: string): unknown {
  const runner = path.join(root, 'test/support/run-typescript.mjs');
  const said = execFileSync(process.execPath, [runner, path.join(__dirname, script), app], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  return JSON.parse(said);
}

const read = (file: string) => readFileSync(path.join(app, file), 'utf8');
const isManifest = (file: string) =>
  /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(file);

beforeAll(async () => {
  code = await runPackage(['--out', out], { stdout: output, stderr: output });
  files = filesIn(app).map((file) => path.relative(app, file).split(path.sep).join('/'));
  const copied = files.filter(isManifest).map((file) => path.posix.dirname(file));
  // The bundler names the source of each part in a comment before it.
  const bundled = bundles().flatMap((file) =>
    [...read(file).matchAll(/^\/\/ (.*node_modules\/.*)$/gm)].map(
      ([, source = '']) => packageOf(source) ?? '',
    ),
  );
  passedOn = [...new Set([...copied, ...bundled, ...packagesOfPage(root)])];
}, 300_000);

function bundles(): readonly string[] {
  return files.filter((file) => /^dist\/(?!web\/)/.test(file));
}

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
    expect(bytes).toBeLessThan(12 * 1024 ** 2);
    expect(files.length).toBeLessThan(500);
  });

  it('bundles the functions with what they are made of, the workers and the page, and no more', () => {
    expect([...bundles()].sort()).toEqual([
      'dist/functions/functions.js',
      'dist/src/host/workers/header-worker.js',
      'dist/src/host/workers/pixel-worker.js',
    ]);
    expect(files).toContain('dist/web/index.html');
  });

  it('bundles the source of each function, under names that stacks can be read by', () => {
    const bundle = read('dist/functions/functions.js');
    for (const source of readdirSync(path.join(root, 'functions'))) {
      expect(bundle).toContain(`\n// functions/${source}\n`);
    }
    expect(bundle).toContain('\nfunction registerFunction(');
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
    expect(packagesOfPage(root)).toEqual(
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

  it('is made of dependencies of production, and has those that are loaded by name as they are', () => {
    const service = passedOn.filter((folder) => !packagesOfPage(root).includes(folder));
    expect(service.filter((folder) => !productionPackages(root).includes(folder))).toEqual([]);
    const sdks = ['data-tables', 'identity', 'storage-blob', 'storage-queue'];
    expect(service).toEqual(
      expect.arrayContaining(sdks.map((name) => `node_modules/@azure/${name}`)),
    );
    const { dependencies } = JSON.parse(read('package.json')) as typeof packageJson;
    const copied = files.filter(isManifest).map((file) => path.posix.dirname(file));
    expect(copied).toEqual(
      expect.arrayContaining(Object.keys(dependencies).map((name) => `node_modules/${name}`)),
    );
    const codecs = Object.keys(packageJson.dependencies).filter((name) => name.includes('/codec-'));
    expect(Object.keys(dependencies).sort()).toEqual(['@azure/functions', ...codecs].sort());
  });

  it('keeps the licences of dependencies, and leaves maps, types, documents and tests behind', () => {
    expect(files).toContain('node_modules/@cornerstonejs/codec-charls/LICENSE');
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

  it('names no module that is missing', () => {
    const named = bundles().flatMap((file) =>
      [...read(file).matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, name = '']) => name),
    );
    // The worker of Azure Functions injects the one, and the other is asked for whether it is there.
    const absent = ['@azure/functions-core', 'supports-color'];
    const missing = named
      .filter((name) => !isBuiltin(name) && !absent.includes(name))
      .filter((name) => !existsSync(path.join(app, 'node_modules', name)));
    expect(missing).toEqual([]);
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

describe('the package, used', () => {
  it('stores, finds, retrieves, renders and deletes, with its workers, and shows the page', () => {
    expect(run('use-package.ts')).toMatchObject({
      said: expect.stringContaining('All is well') as unknown,
      smoke: 0,
      stored: '200 application/dicom+json',
      rendered: '200 image/jpeg',
      page: '200 text/html; charset=utf-8',
      workers: 2,
    });
  }, 120_000);

  it('encodes and decodes every transfer syntax, with what was left of the codecs', () => {
    expect(run('try-codecs.ts')).toEqual(
      Object.fromEntries(encodableSyntaxes.map((uid) => [uid, 'back'])),
    );
  }, 120_000);
});

describe('runPackage', () => {
  it('refuses arguments that it does not know', async () => {
    expect(await runPackage(['--nonsense'], { stdout: output, stderr: output })).toBe(2);
  });
});
