/** The speed table as Markdown, and its place in docs/performance.md. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, totalmem } from 'node:os';
import path from 'node:path';
import { passes, type Row } from './row.js';

const load = createRequire(__filename);
const root = path.join(__dirname, '../../..');
const document = path.join(root, 'docs/performance.md');
/** What stands between these lines is that of the last run. */
const marks = ['<!-- speed -->', '<!-- /speed -->'] as const;

/** Where and when a run was. */
export interface Run {
  readonly time: string;
  /** The machine before the run: the average number of processes that wanted a core. */
  readonly load: number;
  readonly seconds: number;
  readonly orthanc: string | undefined;
}

/** How busy the machine is. */
export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function goalText({ goal }: Row): string {
  return 'atLeast' in goal ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`;
}

/** The rows as a table. */
export function tableOf(rows: readonly Row[]): string {
  const head = ['#', 'work', 'against', 'unit', 'ours', 'theirs', 'ratio', 'goal', '', 'calls'];
  const lines = rows.map((row) => [
    row.number,
    row.note === undefined ? row.work : `${row.work}; ${row.note}`,
    row.against,
    row.unit,
    figure(row.ours),
    figure(row.theirs),
    figure(row.ratio),
    goalText(row),
    passes(row) ? 'ok' : 'short',
    row.storageCalls === undefined ? '' : String(row.storageCalls),
  ]);
  const all = [head, head.map(() => '---'), ...lines];
  return all.map((line) => `| ${line.join(' | ').replaceAll('*', '\\*')} |`).join('\n');
}

/** Where and when, in a sentence. */
export function describeRun({ time, load: before, seconds, orthanc }: Run): string {
  const memory = `${Math.round(totalmem() / 1024 ** 3)} GB`;
  const { version } = load('azurite/package.json') as { readonly version: string };
  const others = [`Azurite ${version}`, ...(orthanc === undefined ? [] : [orthanc])].join(', ');
  return `Node ${process.version.slice(1)}, ${cpus().length} cores, ${memory}, ${others}; ${time.slice(0, 10)}, in ${Math.round(seconds)} s, on a machine with a load of ${before.toFixed(1)} before.`;
}

/**
 * Puts the table of a whole run into docs/performance.md, in the place of the one before.
 *
 * @throws Error when the document has lost the marks.
 */
export function writeDocument(rows: readonly Row[], run: Run): void {
  const text = readFileSync(document, 'utf8');
  const [begin, end] = marks.map((mark) => text.indexOf(mark));
  if (begin === undefined || end === undefined || begin < 0 || end < begin) {
    throw new Error(`docs/performance.md lacks the lines ${marks.join(' and ')}.`);
  }
  const [mark] = marks;
  const made = `${mark}\n\n${tableOf(rows)}\n\n${describeRun(run)}\n\n`;
  writeFileSync(document, text.slice(0, begin) + made + text.slice(end));
  const prettier = load.resolve('prettier/bin/prettier.cjs');
  execFileSync(process.execPath, [prettier, '--write', document], { stdio: 'ignore' });
}
