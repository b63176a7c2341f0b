/** Which packages of others the deployed package is made of, by the lock file. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What is not as it should be before a package can be made; its message says what to do. */
export class PackageError extends Error {
  override readonly name = 'PackageError';
}

/** What is read of the manifest of an installed package. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly repository?: string | { readonly url: string };
}

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** The manifest of the package in a folder, which is relative to the repository. */
export function installedIn(root: string, folder: string): Installed {
  return readJson(path.join(root, folder, 'package.json')) as Installed;
}

function lockedPackages(root: string): Readonly<Record<string, LockedPackage>> {
  const lock = readJson(path.join(root, 'package-lock.json')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return lock.packages;
}

/**
 * Folders of the packages that production needs, as the lock file has them.
 *
 * @throws PackageError when what is installed is not what the lock file says.
 */
export function productionPackages(root: string): readonly string[] {
  return Object.entries(lockedPackages(root))
    .filter(([folder]) => folder !== '')
    .filter(([, { dev, optional, devOptional }]) => !(dev ?? optional ?? devOptional ?? false))
    .map(([folder, { version }]) => {
      checkInstalled(root, folder, version);
      return folder;
    });
}

/** The folder of the package that a file belongs to, both relative to the repository; `undefined` for a file of ours. */
export function packageOf(file: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/** The name of the package in a folder. */
export function nameOf(folder: string): string {
  return folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** Folders of packages with those of all that they need. */
export function withDependencies(root: string, folders: readonly string[]): readonly string[] {
  const locked = lockedPackages(root);
  const all = new Set(folders);
  // What a set is given while it is gone through is gone through as well.
  for (const folder of all) {
    for (const name of Object.keys(locked[folder]?.dependencies ?? {})) {
      const nested = `${folder}/node_modules/${name}`;
      all.add(locked[nested] === undefined ? `node_modules/${name}` : nested);
    }
  }
  return [...all].sort();
}

/** Folders of the packages that are bundled into the page: what `web/` imports, and what that needs. */
export function packagesOfPage(root: string): readonly string[] {
  const sources = readdirSync(path.join(root, 'web'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => readFileSync(path.join(root, 'web', file), 'utf8'));
  const names = new Set(
    sources.flatMap((source) =>
      [...source.matchAll(/(?:from |import\()'((?:@[\w-]+\/)?[a-z][\w-]*)/g)].map(
        ([, name = '']) => name,
      ),
    ),
  );
  return withDependencies(
    root,
    [...names].map((name) => `node_modules/${name}`),
  );
}

function checkInstalled(root: string, folder: string, locked: string | undefined): void {
  let installed: string | undefined;
  try {
    ({ version: installed } = installedIn(root, folder));
  } catch {
    // Not there at all, which is said below.
  }
  if (installed === locked) return;
  throw new PackageError(
    `${folder} is ${installed ?? 'not installed'}, but package-lock.json says ${locked ?? 'nothing'}: run npm ci.`,
  );
}
