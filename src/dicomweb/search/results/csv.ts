/** Search results as a table of comma-separated values (RFC 4180), one column per attribute. */
import type { DataSet } from '../../../dicom/data-set.js';
import { keywordOf } from '../../../dicom/dictionary.js';
import type { Tag } from '../../../dicom/tag.js';
import { stringsOf } from '../../../dicom/value.js';

/** What spreadsheets take for the beginning of a formula; a number is none. */
const formula = /^[=+\-@\t\r]/;
const plainNumber = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A cell; one that a spreadsheet would compute begins with an apostrophe, which makes it text. */
export function csvField(value: string): string {
  const text = formula.test(value) && !plainNumber.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The values of an attribute, joined as in a file; sequences and binary values have no column. */
function textOf(result: DataSet, tag: Tag): string {
  return stringsOf(result, tag).join('\\');
}

/** A header of keywords, in ascending order of tag, and a line per result. */
export function toCsv(results: readonly DataSet[]): string {
  const tags = new Set<Tag>();
  for (const result of results) {
    for (const [tag, { vr, InlineBinary }] of Object.entries(result) as [Tag, DataSet[Tag]][]) {
      if (vr !== 'SQ' && InlineBinary === undefined) tags.add(tag);
    }
  }
  const columns = [...tags].sort();
  const header = columns.map((tag) => keywordOf(tag) ?? tag);
  const lines = results.map((result) => columns.map((tag) => csvField(textOf(result, tag))));
  return [header, ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}
