/** Compares renderings of real files with those of DCMTK: `npm run rendering [-- --corpus DIR]`. */
import { join } from 'node:path';
import { runRendering } from './rendering/run-rendering.js';
import { repositoryRoot } from './support/repository-root.js';

const root = repositoryRoot(__dirname);
void runRendering(process.argv.slice(2), {
  corpus: process.env['DICOM_CORPUS'] ?? join(root, '../shared/corpus'),
  explanations: join(root, 'scripts/rendering/explained-differences.json'),
  output: process.stdout,
}).then((code) => {
  process.exitCode = code;
});
