/** The report on files that are not in the archive: each of them, as CSV or JSON lines. */
import { open } from 'node:fs/promises';
import { csvField } from '../../src/dicomweb/search/results/csv.js';
import { isMissing, type Result } from './tally.js';

export interface Report {
  /** Writes a line when the file is not in the archive. */
  add(results: readonly Result[]): Promise<void>;
  close(): Promise<void>;
}

const formats = {
  csv: {
    head: 'file,outcome,reason,why\r\n',
    line: ({ file, outcome, reason, why }: Result) =>
      `${[file, outcome, String(reason ?? ''), why ?? ''].map(csvField).join(',')}\r\n`,
  },
  jsonl: {
    head: '',
    line: ({ file, outcome, reason, why }: Result) =>
      `${JSON.stringify({ file, outcome, reason, why })}\n`,
  },
} as const;

/**
 * Begins a report, over an earlier one.
 *
 * @param path - CSV when it ends in `.csv`, else JSON lines.
 */
export async function openReport(path: string): Promise<Report> {
  const format = /\.csv$/i.test(path) ? formats.csv : formats.jsonl;
  const handle = await open(path, 'w');
  await handle.appendFile(format.head);
  return {
    add: async (results) => {
      const lines = results.filter(({ outcome }) => isMissing(outcome)).map(format.line);
      if (lines.length > 0) await handle.appendFile(lines.join(''));
    },
    close: async () => {
      await handle.close();
    },
  };
}
