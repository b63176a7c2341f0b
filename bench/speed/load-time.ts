/** Row 11: how long the deployed package takes to its first answer, beside an app that does nothing. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
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

const root = path.join(__dirname, '../../..');

/** Runs a script of the sources; the build of the bench has the package's sources elsewhere. */
function runTypeScript(script: string, ...parameters: readonly string[]): string {
  const runner = path.join(root, 'test/support/run-typescript.mjs');
  return execFileSync(process.execPath, [runner, path.join(root, script), ...parameters], {
    encoding: 'utf8',
    cwd: root,
  });
}

/** Milliseconds from the first `require` of an app to its first answer. */
function answeredAfter(app: string): number {
  const { answeredMilliseconds } = JSON.parse(
    runTypeScript('test/infra/start-package.ts', app),
  ) as { readonly answeredMilliseconds: number };
  return answeredMilliseconds;
}

async function measure({ rounds, progress }: Context): Promise<readonly Row[]> {
  progress('building the package');
  const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-package-'));
  try {
    runTypeScript('scripts/package.ts', '--out', folder);
    const ours = path.join(folder, 'app');
    const empty = path.join(folder, 'empty');
    mkdirSync(path.join(empty, 'dist/functions'), { recursive: true });
    writeFileSync(path.join(empty, 'package.json'), '{}');
    writeFileSync(path.join(empty, 'dist/functions/empty.js'), emptyApp);
    symlinkSync(path.join(ours, 'node_modules'), path.join(empty, 'node_modules'));
    progress('load time');
    const millisecondsTo = async (app: string) => await Promise.resolve(answeredAfter(app));
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
        goal: { atMost: 1.1 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const loadTime: Part = { name: 'load', rounds: 5, measure };
