/** Where the files of this package lie that are not imported, whether its code is run as source, compiled or bundled. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder of the nearest `package.json` above the code. */
function findPackage(): string {
  let folder = __dirname;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const above = path.dirname(folder);
    if (above === folder) throw new Error(`There is no package.json above ${__dirname}.`);
    folder = above;
  }
  return folder;
}

export const packageFolder = findPackage();
