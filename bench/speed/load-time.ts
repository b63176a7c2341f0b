/** Row 11: what the deployed package takes to its first answer, beside an app that does nothing, in time and in processor time. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Context, Part } from './context.js';
import { inTurns, summarise, type Row } from './row.js';

/** One function, and the SDKs that every app on Azure storage loads, from `node_modules` as npm installs them. */
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

/** Milliseconds from the first `require` of an app to its first answer: passed, and of the processor. */
interface FirstAnswer {
  readonly answeredMilliseconds: number;
  readonly processorMilliseconds: number;
}

async function firstAnswer(app: string): Promise<FirstAnswer> {
  const said = runTypeScript('test/infra/start-package.ts', app);
  return await Promise.resolve(JSON.parse(said) as FirstAnswer);
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
    symlinkSync(path.join(root, 'node_modules'), path.join(empty, 'node_modules'));
    progress('load time');
    const all = await inTurns(
      rounds,
      async () => await firstAnswer(ours),
      async () => await firstAnswer(empty),
    );
    const row = (unit: string, figure: keyof FirstAnswer): Row => ({
      number: '11',
      work: 'load the deployed package and answer a request',
      against: 'an app of one function with the three SDKs',
      unit,
      ...summarise(
        all.map((round) => ({ ours: round.ours[figure], theirs: round.theirs[figure] })),
      ),
      goal: { atMost: 1.1 },
    });
    return [row('ms of processor', 'processorMilliseconds'), row('ms', 'answeredMilliseconds')];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const loadTime: Part = { name: 'load', rounds: 5, measure };
