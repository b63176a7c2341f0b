/** The version of this package, as its `package.json` has it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFolder } from './package-folder.js';

const manifest = readFileSync(path.join(packageFolder, 'package.json'), 'utf8');

export const packageVersion = (JSON.parse(manifest) as { readonly version: string }).version;
