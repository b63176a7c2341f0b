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

/** Folders of the packages that are bundled into the page: what `web/` imports, and what that needs. */
export function bundledPackages(root: string): readonly string[] {
  const locked = lockedPackages(root);
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
  // What a set is given while it is gone through is gone through as well.
  for (const name of names) {
    for (const further of Object.keys(locked[`node_modules/${name}`]?.dependencies ?? {})) {
      names.add(further);
    }
  }
  return [...names].sort().map((name) => `node_modules/${name}`);
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
