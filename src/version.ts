/** The version of this package: the nearest `package.json` above the code, compiled or not. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

function readVersion(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    try {
      const manifest = readFileSync(path.join(folder, 'package.json'), 'utf8');
      return (JSON.parse(manifest) as { readonly version: string }).version;
    } catch (error) {
      if (path.dirname(folder) === folder) throw error;
    }
  }
}

export const packageVersion = readVersion();
