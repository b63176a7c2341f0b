/** Checks the templates with the Bicep compiler: the second half of `npm run check:infra`. */
import path from 'node:path';
import { checkInfra } from './infra/check.js';

const root = path.join(__dirname, '..');

process.exitCode = checkInfra(
  process.argv.slice(2),
  process.env,
  {
    infra: path.join(root, 'infra'),
    summaries: path.join(root, 'test/infra/summaries'),
    cache: path.join(root, 'node_modules/.cache/bicep'),
  },
  process,
);
