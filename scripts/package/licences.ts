/** Names the licence of everything that the package passes on, with its text. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { installedIn, PackageError } from './locked-packages.js';

/** File of the package that lists the licences of others' work. */
export const licenceList = 'THIRD-PARTY-LICENSES.txt';

const licenceFile = /^(?:licen[cs]e|copying|notice)/i;

function entryOf(root: string, folder: string): string {
  const { name, version, license, repository } = installedIn(root, folder);
  if (license === undefined) {
    throw new PackageError(`${folder}/package.json names no licence: find out which it has.`);
  }
  const source = typeof repository === 'string' ? repository : repository?.url;
  const texts = readdirSync(path.join(root, folder))
    .filter((file) => licenceFile.test(file))
    .sort()
    .map((file) => readFileSync(path.join(root, folder, file), 'utf8').trim());
  const head = `${name} ${version}\nLicence: ${license}\nSource: ${source ?? 'not named'}`;
  return [head, ...texts].join('\n\n');
}

/**
 * The list: name, version, SPDX expression and source of each package, and the text of its licence where it
 * comes with one.
 *
 * @param folders - of the packages, relative to the repository.
 * @throws PackageError for a package that names no licence.
 */
export function listLicences(root: string, folders: readonly string[]): string {
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  return `${folders.map((folder) => entryOf(root, folder)).join(line)}\n`;
}
