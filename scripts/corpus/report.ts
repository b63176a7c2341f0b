/**
 * Turns the results of a corpus run into a table, lists, and the verdict.
 */
import type { FileResult } from './check-file.js';
import type { Finding } from './compare.js';
import { explain } from './tables.js';
import type { ExpectedRefusals, Explanation } from './tables.js';

export interface CorpusRun {
  readonly results: ReadonlyMap<string, FileResult>;
  /** Outcome of storing every storable file once more, many at a time. */
  readonly refill: Refill;
  readonly oraclesAbsent: readonly string[];
}

export interface Refill {
  readonly stored: number;
  readonly duplicates: number;
  readonly problems: readonly string[];
}

/** How many mismatches are listed without `verbose`. */
const listLimit = 60;

export interface Report {
  readonly text: string;
  readonly ok: boolean;
}

/** Counts, lists and judges. `verbose` adds what is fine but worth a look. */
export function writeReport(
  { results, refill, oraclesAbsent }: CorpusRun,
  refusals: ExpectedRefusals,
  explanations: readonly Explanation[],
  verbose = false,
): Report {
  const files = [...results];
  const stored = files.flatMap(([file, result]) =>
    result.kind === 'stored' ? [{ file, ...result }] : [],
  );
  const refused = files.flatMap(([file, result]) =>
    result.kind === 'refused' ? [{ file, ...result }] : [],
  );
  const problems = stored.flatMap(({ file, problems: list }) =>
    list.map((problem) => `${file}: ${problem}`),
  );
  const findings = stored.flatMap(({ file, findings: list }) =>
    list.map((finding) => ({ file, finding, why: explain(file, finding, explanations) })),
  );
  const mismatches = findings.filter(({ finding, why }) => finding.kind === 'mismatch' && !why);
  const explained = findings.filter(({ finding, why }) => finding.kind === 'mismatch' && why);
  const divided = findings.filter(({ finding }) => finding.kind === 'divided');
  // A server error is never a proper refusal, not even of a file that has to be refused.
  const unexpected = refused
    .filter(({ file, status }) => !refusals.has(file) || status >= 500)
    .map(({ file, status, message }) => `${file}: ${status} ${message}`);
  const missing = stored
    .filter(({ file }) => refusals.has(file))
    .map(({ file }) => `${file}: stored although ${refusals.get(file) ?? ''}`);
  const used = new Set(findings.map(({ why }) => why));
  const unused = explanations.filter((explanation) => !used.has(explanation));
  const retrieval = problems.filter((problem) => problem.includes(': retrieve: '));
  const other = problems.filter((problem) => !problem.includes(': retrieve: '));

  const limit = verbose ? Infinity : listLimit;
  const text = [
    table([
      ['files', files.length],
      ['stored', stored.length],
      ['refused', refused.length],
      ['duplicates', refill.duplicates],
      ['retrieve mismatches', retrieval.length],
      ['metadata mismatches', mismatches.length],
      ['explained differences', explained.length],
      ['oracles divided', divided.length],
    ]),
    ...oraclesAbsent.map((name) => `Not installed, so not asked: ${name}\n`),
    section(
      'Refusals',
      refused.map(
        ({ file, status, reason, message }) =>
          `${file}: ${reason === undefined ? `status ${status}` : `reason ${reason}`} ${message}`,
      ),
    ),
    section('REFUSED, BUT NOT EXPECTED TO BE', unexpected),
    section('STORED, BUT EXPECTED TO BE REFUSED', missing),
    section('RETRIEVE MISMATCHES', retrieval),
    section('METADATA MISMATCHES', mismatches.map(line), limit),
    section('The same by tag', byTag(mismatches), limit),
    section('OTHER PROBLEMS', [...other, ...refill.problems]),
    verbose ? section('Explained differences', explained.map(line)) : '',
    verbose ? section('Oracles divided, one of them with us', divided.map(line)) : '',
    section(
      'Explanations that explain nothing',
      unused.map(({ files: glob, tag }) => `${glob} ${tag}`),
    ),
  ];
  const failures = [unexpected, missing, problems, mismatches, refill.problems];
  return { text: text.join(''), ok: failures.every((list) => list.length === 0) };
}

function line({ file, finding }: { file: string; finding: Finding }): string {
  return `${file} ${finding.path}: ${finding.statements.join(' | ')}`;
}

function table(rows: readonly (readonly [label: string, count: number])[]): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows
    .map(([label, count]) => `${label.padEnd(width)}  ${String(count).padStart(5)}\n`)
    .join('');
}

function section(title: string, lines: readonly string[], limit = Infinity): string {
  if (lines.length === 0) return '';
  const shown = lines.slice(0, limit).map((text) => `  ${text}\n`);
  const rest = lines.length - shown.length;
  const more = rest === 0 ? '' : `  … and ${rest} more (--verbose lists them)\n`;
  return `\n${title} (${lines.length})\n${shown.join('')}${more}`;
}

/** One mistake of ours shows in many files: this shows how few tags are behind a long list. */
function byTag(findings: readonly { readonly finding: Finding }[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { finding } of findings) {
    const tag = finding.path.slice(-8);
    counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([tag, count]) => `${tag} × ${count}`);
}
