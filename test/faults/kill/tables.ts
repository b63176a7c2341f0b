/** What a run has found, as text. */
import type { Report } from './arena.js';
import { steps } from './steps.js';

type Row = readonly string[];

/** Rows as a table of Markdown, the first column to the left, numbers to the right. */
export function markdownTable(head: Row, rows: readonly Row[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: Row) =>
    `| ${cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join(' | ')} |`;
  const rule = widths.map(
    (width, column) => '-'.repeat(width - (column === 0 ? 0 : 1)) + (column === 0 ? '' : ':'),
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Kills by step. */
export function killTable({ kills }: Report): string {
  const rows = steps.map((step) => [
    step,
    String(kills.get(`before ${step}`) ?? 0),
    String(kills.get(`after ${step}`) ?? 0),
  ]);
  const any = ['at any time', String(kills.get('any time') ?? 0), ''];
  return markdownTable(['killed at', 'before', 'after'], [...rows, any]);
}

export function outcomeTable(report: Report): string {
  const { answers, log } = report;
  const total = [...report.kills.values()].reduce((sum, kills) => sum + kills, 0);
  const rows: readonly (readonly [string, number])[] = [
    ['kills', total],
    ['processes that stood still and went on', report.frozen],
    ['operations acknowledged', report.acknowledged],
    ['operations refused', report.refused],
    ['operations unanswered or answered 503', report.unanswered],
    ['answers of 503', answers.busy],
    ['instances verified', report.verified],
    ['changes followed in the feed', report.changes],
    ['longest wait of a change for the feed, ms', report.slowestChangeMilliseconds],
    ['of it until the page that showed it was asked for, ms', report.askedAfterMilliseconds],
    ['longest request of the reader of the feed, ms', report.slowestPageMilliseconds],
    ['losses', report.losses.length],
    ['ghosts', report.ghosts.length],
    ['findings of the store check', report.findings.length],
    ['debris removed by the store check', report.debris],
    ['unexpected answers', answers.unexpected.length],
    ['answers of 500', log.faults.length],
    ['requests that hung', answers.hangs.length],
    ['processes that ended by themselves', log.crashes.length],
    ['slowest request, ms', log.slowestMilliseconds],
  ];
  return markdownTable(
    ['', 'count'],
    rows.map(([what, count]) => [what, String(count)]),
  );
}

/** All that must not be; empty for a run that proves its point. */
export function violationsOf(report: Report): readonly string[] {
  const { losses, ghosts, findings, answers, log } = report;
  const named: readonly (readonly [string, readonly string[]])[] = [
    ['loss', losses],
    ['ghost', ghosts],
    ['finding', findings],
    ['unexpected answer', answers.unexpected],
    ['answer of 500', log.faults],
    ['hang', answers.hangs],
    ['crash', log.crashes],
  ];
  return named.flatMap(([kind, texts]) => texts.map((text) => `${kind}: ${text}`));
}
