/** Compares renderings of real files with those of DCMTK: `npm run rendering [-- --corpus DIR]`. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runRendering } from './rendering/run-rendering.js';

/** The repository, whether this file runs from its source folder or from the build output. */
function repositoryRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : repositoryRoot(dirname(folder));
}

const root = repositoryRoot(__dirname);
void runRendering(process.argv.slice(2), {
  corpus: process.env['DICOM_CORPUS'] ?? join(root, '../shared/corpus'),
  explanations: join(root, 'scripts/rendering/explained-differences.json'),
  output: process.stdout,
}).then((code) => {
  process.exitCode = code;
});
