/** A structured report as a page: its content tree as nested lists. */
import type { DataSet } from '../../../dicom/data-set.js';
import { escapeHtml, htmlPage } from './html.js';
import { reportHead, writeTree, type ReportWriter } from './report-content.js';

const lists: ReportWriter = {
  item({ name, value, other }, below) {
    const shownName = name === '' ? '' : `<b>${escapeHtml(name)}</b>`;
    const shownValue = value === '' ? '' : `<span class="v">${escapeHtml(value)}</span>`;
    const shown = [shownName, shownValue].filter(Boolean).join(': ');
    return `<li>${shown === '' ? escapeHtml(other) : shown}${below}</li>`;
  },
  list: (items) => `<ul>${items.join('\n')}</ul>`,
  leftOut: (what, as) => (as === 'item' ? `<li>${what}</li>` : `<p>${what}</p>`),
};

/** A structured report as `text/html` (PS3.18 §8.7.4): what it is about, then its content as nested lists. */
export function reportPage(dataSet: DataSet): string {
  const { title, facts } = reportHead(dataSet);
  const lines = facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`);
  return htmlPage(title, `<dl>${lines.join('\n')}</dl>\n${writeTree(dataSet, lists)}`);
}
