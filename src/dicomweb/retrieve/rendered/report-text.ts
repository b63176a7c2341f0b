/** A structured report as plain text: a line for each content item, indented by its depth. */
import type { DataSet } from '../../../dicom/data-set.js';
import { reportHead, writeTree, type ReportWriter } from './report-content.js';

function indented(text: string, depth: number): string {
  const indent = '  '.repeat(depth);
  return `${indent}${text.split(/\r\n|\r|\n/).join(`\n${indent}  `)}\n`;
}

const lines: ReportWriter = {
  item({ name, value, other }, below, depth) {
    const shown = [name, value].filter(Boolean).join(': ');
    return indented(shown === '' ? other : shown, depth) + below;
  },
  list: (items) => items.join(''),
  leftOut: (what, _, depth) => indented(what, depth),
};

/** A structured report as `text/plain` (PS3.18 §8.7.4): what it is about, then its content, indented. */
export function reportText(dataSet: DataSet): string {
  const { title, facts } = reportHead(dataSet);
  const head = facts.map(([name, value]) => `${name}: ${value}\n`).join('');
  return [`${title}\n`, head, writeTree(dataSet, lines)].filter(Boolean).join('\n');
}
