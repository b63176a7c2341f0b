/** The matrix of transcoding: sources by targets, as text and as the document's tables. */
import type { Explanation } from './explained.js';
import type { Source } from './oracle.js';

/** What became of one file in one target. */
export interface Outcome {
  readonly source: Source;
  readonly target: string;
  /** `impossible`: the target cannot hold such pixels, and the service says so. */
  readonly kind: 'passed' | 'failed' | 'explained' | 'impossible';
  readonly why: string;
  readonly explanation?: Explanation;
}

/** Transfer syntaxes, in the order of rows and columns, by a short name. */
export const sourceNames: ReadonlyMap<string, string> = new Map([
  ['1.2.840.10008.1.2', 'implicit'],
  ['1.2.840.10008.1.2.1', 'explicit'],
  ['1.2.840.10008.1.2.2', 'big endian'],
  ['1.2.840.10008.1.2.1.99', 'deflated'],
  ['1.2.840.10008.1.2.5', 'RLE'],
  ['1.2.840.10008.1.2.4.50', '.50'],
  ['1.2.840.10008.1.2.4.51', '.51'],
  ['1.2.840.10008.1.2.4.57', '.57'],
  ['1.2.840.10008.1.2.4.70', '.70'],
  ['1.2.840.10008.1.2.4.80', '.80'],
  ['1.2.840.10008.1.2.4.81', '.81'],
  ['1.2.840.10008.1.2.4.90', '.90'],
  ['1.2.840.10008.1.2.4.91', '.91'],
  ['1.2.840.10008.1.2.4.201', '.201'],
  ['1.2.840.10008.1.2.4.202', '.202'],
  ['1.2.840.10008.1.2.4.203', '.203'],
  ['1.2.840.10008.1.2.8.1', 'deflated frames'],
]);

export const targets: readonly string[] = [
  '1.2.840.10008.1.2.1',
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.1.99',
  '1.2.840.10008.1.2.5',
  '1.2.840.10008.1.2.4.50',
  '1.2.840.10008.1.2.4.70',
  '1.2.840.10008.1.2.4.80',
  '1.2.840.10008.1.2.4.90',
  '1.2.840.10008.1.2.4.201',
  '1.2.840.10008.1.2.4.202',
  '1.2.840.10008.1.2.4.203',
];

/** The matrix as a Markdown table: a cell has files passed / tried, empty where none was. */
export function matrixOf(outcomes: readonly Outcome[]): string {
  const cells = [...sourceNames].map(([syntax, name]) => {
    const row = outcomes.filter(({ source }) => source.syntax === syntax);
    return [
      name,
      String(new Set(row.map(({ source }) => source.file)).size),
      ...targets.map((target) => cell(row.filter((one) => one.target === target))),
    ];
  });
  const sums = [
    '**all**',
    String(new Set(outcomes.map(({ source }) => source.file)).size),
    ...targets.map((target) => cell(outcomes.filter((one) => one.target === target))),
  ];
  const names = targets.map((target) => sourceNames.get(target) ?? target);
  return table(['from \\ to', 'files', ...names], [...cells, sums]);
}

function cell(outcomes: readonly Outcome[]): string {
  const tried = outcomes.filter(({ kind }) => kind !== 'impossible');
  const passed = tried.filter(({ kind }) => kind === 'passed');
  return tried.length === 0 ? '' : `${passed.length}/${tried.length}`;
}

/** Why files were not to be had, by target and reason. */
export function impossibleOf(outcomes: readonly Outcome[]): string {
  const counts = new Map<string, { target: string; why: string; count: number }>();
  for (const { kind, target, why } of outcomes) {
    if (kind !== 'impossible') continue;
    const entry = counts.get(`${target} ${why}`) ?? { target, why, count: 0 };
    entry.count += 1;
    counts.set(`${target} ${why}`, entry);
  }
  const rows = [...counts.values()]
    .sort((a, b) => targets.indexOf(a.target) - targets.indexOf(b.target) || b.count - a.count)
    .map(({ target, why, count }) => [sourceNames.get(target) ?? target, why, String(count)]);
  return table(['to', 'cannot hold', 'files'], rows);
}

/** The failures that are explained, one row for each explanation. */
export function explainedOf(outcomes: readonly Outcome[]): string {
  const pairs = new Map<Explanation, Outcome[]>();
  for (const outcome of outcomes) {
    if (outcome.explanation === undefined) continue;
    const list = pairs.get(outcome.explanation) ?? [];
    pairs.set(outcome.explanation, [...list, outcome]);
  }
  const rows = [...pairs].map(([{ files, why, link }, failed]) => [
    `\`${files}\``,
    unique(failed.map(({ source }) => sourceNames.get(source.syntax) ?? source.syntax)),
    unique(failed.map(({ target }) => sourceNames.get(target) ?? target)),
    `${why} ([${new URL(link).hostname}](${link}))`,
  ]);
  return rows.length === 0 ? 'None.\n' : table(['file', 'from', 'to', 'why'], rows);
}

function unique(names: readonly string[]): string {
  return [...new Set(names)].join(', ');
}

/** A Markdown table with columns of one width, as the formatter wants them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [head, ...rows].map((row) => row.map((text) => text.replaceAll('|', '\\|')));
  const widths = head.map((_, at) => Math.max(3, ...escaped.map((row) => row[at]?.length ?? 0)));
  const lines = escaped.map(
    (row) => `| ${row.map((text, at) => text.padEnd(widths[at] ?? 0)).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return `${[lines[0], rule, ...lines.slice(1)].join('\n')}\n`;
}
