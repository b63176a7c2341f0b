/** Lays out the folder that is deployed: the bundles, the page, host.json, and the packages that the bundles load by name. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle, loadedByName } from './bundle.js';
import { licenceList, listLicences } from './licences.js';
import {
  installedIn,
  nameOf,
  PackageError,
  packagesOfPage,
  productionPackages,
  readJson,
  withDependencies,
} from './locked-packages.js';
import { unneededIn, unusedCodecFiles } from './prune.js';

/** File of the package that tells what is in it. */
export const billOfMaterials = 'sbom.cdx.json';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly main: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * Bundles functions, workers and page. Types are checked by `npm run build`, which azd runs as well.
 *
 * @returns folders of the packages whose code is in the bundles of the service.
 * @throws PackageError when one of them is not for production.
 */
function build(root: string, app: string, production: readonly string[]): readonly string[] {
  const dist = path.join(app, 'dist');
  const bundled = bundle(root, dist);
  const stray = bundled.find((folder) => !production.includes(folder));
  if (stray !== undefined) {
    throw new PackageError(`${stray} would be bundled, but is for development alone.`);
  }
  execFileSync(process.execPath, [
    path.join(root, 'scripts/build-web.mjs'),
    path.join(dist, 'web'),
  ]);
  return bundled;
}

/**
 * The manifest without what is for developers and what is in the bundles: the host reads `main`, people the rest.
 */
function writeManifest(root: string, app: string): void {
  const all = readJson(path.join(root, 'package.json')) as Manifest;
  const { name, version, description, license, main, engines, dependencies } = all;
  const manifest = {
    ...{ name, version, private: true, description, license, main, engines },
    dependencies: Object.fromEntries(
      Object.entries(dependencies).filter(([dependency]) => loadedByName.test(dependency)),
    ),
  };
  writeFileSync(path.join(app, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

interface BillOfMaterials {
  serialNumber?: string;
  readonly metadata: { timestamp?: string; readonly component: { name: string } };
  components: readonly { readonly 'bom-ref': string }[];
  dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * Whatever is in the package, by name, version and licence, in CycloneDX (ECMA-424). What is for
 * development is taken out here: `npm sbom --omit dev` leaves out what both need.
 */
function writeBillOfMaterials(root: string, app: string, packages: readonly string[]): void {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  const bill = JSON.parse(
    execFileSync('npm', [...args, '--package-lock-only'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 ** 2,
      shell: process.platform === 'win32',
    }),
  ) as BillOfMaterials;
  const own = readJson(path.join(root, 'package.json')) as Manifest;
  const inside = new Set([
    `${own.name}@${own.version}`,
    ...packages.map((folder) => {
      const { name, version } = installedIn(root, folder);
      return `${name}@${version}`;
    }),
  ]);
  bill.components = bill.components.filter((component) => inside.has(component['bom-ref']));
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => inside.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((to) => inside.has(to)) }));
  // The same sources make the same package.
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  // npm takes the name of the folder.
  bill.metadata.component.name = own.name;
  writeFileSync(path.join(app, billOfMaterials), `${JSON.stringify(bill, undefined, 2)}\n`);
}

/**
 * Makes the folder anew. Dependencies are bundled or copied from `node_modules`, so that what is deployed is what
 * was tested, and no network is needed.
 *
 * @throws PackageError when what is installed is not what the lock file says.
 */
export function stage(root: string, app: string): void {
  const production = productionPackages(root);
  const byName = production.filter((folder) => loadedByName.test(nameOf(folder)));
  const copied = withDependencies(root, byName);
  rmSync(app, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const bundled = build(root, app, production);
  for (const file of ['host.json', 'LICENSE']) cpSync(path.join(root, file), path.join(app, file));
  writeManifest(root, app);
  // The page carries packages that are for development everywhere else.
  const passedOn = [...new Set([...copied, ...bundled, ...packagesOfPage(root)])].sort();
  writeBillOfMaterials(root, app, passedOn);
  writeFileSync(path.join(app, licenceList), listLicences(root, passedOn));
  for (const folder of copied) {
    const source = path.join(root, folder);
    // Packages within it are in the lock file themselves, if production needs them.
    const left = new Set([...unneededIn(source), path.join(source, 'node_modules')]);
    cpSync(source, path.join(app, folder), {
      recursive: true,
      filter: (file) => !left.has(file),
    });
  }
  for (const unused of unusedCodecFiles(app)) rmSync(unused, { force: true });
}
