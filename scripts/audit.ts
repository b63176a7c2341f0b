/** Judges `npm audit` of what is deployed: `npm run audit`. */
import path from 'node:path';
import { npmAudit, runAudit } from './audit/run-audit.js';

process.exitCode = runAudit(
  npmAudit(),
  path.join(__dirname, 'audit/allowed.json'),
  new Date(),
  process,
);
