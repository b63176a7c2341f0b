/** Row 11: how long the deployed package takes to its first answer, beside an app that does nothing. */
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runPackage, startPackage } from '../../scripts/package/run-package.js';
import type { Context, Part } from './context.js';
import { inTurns, summarise, type Row } from './row.js';

/** One function, and the SDKs that every app on Azure storage loads. */
const emptyApp = `
const { app } = require('@azure/functions');
require('@azure/storage-blob');
require('@azure/data-tables');
require('@azure/identity');
app.setup({ enableHttpStream: true });
app.http('empty', { route: 'studies', methods: ['GET'], handler: () => ({ status: 401 }) });
`;

async function measure({ rounds, progress }: Context): Promise<readonly Row[]> {
  progress('building the package');
  const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-package-'));
  try {
    const quiet = { write: () => true };
    const code = await runPackage(['--out', folder], { stdout: quiet, stderr: process.stderr });
    if (code !== 0) throw new Error('The package could not be built.');
    const ours = path.join(folder, 'app');
    const empty = path.join(folder, 'empty');
    mkdirSync(path.join(empty, 'dist/functions'), { recursive: true });
    writeFileSync(path.join(empty, 'package.json'), '{}');
    writeFileSync(path.join(empty, 'dist/functions/empty.js'), emptyApp);
    symlinkSync(path.join(ours, 'node_modules'), path.join(empty, 'node_modules'));
    progress('load time');
    const millisecondsTo = async (app: string) =>
      await Promise.resolve(startPackage(app).answeredMilliseconds);
    const all = await inTurns(
      rounds,
      async () => await millisecondsTo(ours),
      async () => await millisecondsTo(empty),
    );
    return [
      {
        number: '11',
        work: 'load the deployed package and answer a request',
        against: 'an app of one function with the three SDKs',
        unit: 'ms',
        ...summarise(all),
        goal: { atMost: 1.5 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const loadTime: Part = { name: 'load', measure };
