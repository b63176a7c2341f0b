/** Reads the documents of the repository: their headings, tables and links. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.join(__dirname, '../..');

const folders = ['.', 'docs', 'docs/decisions', 'infra'];

/** Every document, as a path relative to the repository. */
export const documents: readonly string[] = folders.flatMap((folder) =>
  readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.posix.join(folder, name)),
);

export function readDocument(document: string): string {
  return readFileSync(path.join(root, document), 'utf8');
}

/** The text without blocks of code. */
export function prose(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, '');
}

/** A row of a table, as the texts of its cells without code marks. */
export type Row = readonly string[];

function cellsOf(line: string): Row {
  return line
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('`', ''));
}

/** The rows of all tables with these columns, in order; with `heading`, of those below it alone. */
export function tableRows(
  document: string,
  columns: readonly string[],
  heading?: string,
): readonly Row[] {
  const rows: Row[] = [];
  let current = '';
  let within = false;
  for (const line of prose(readDocument(document)).split('\n')) {
    if (line.startsWith('#')) current = line.replace(/^#+ /, '');
    if (!line.startsWith('|')) within = false;
    else if (within) {
      if (!/^\|[ |:-]+$/.test(line)) rows.push(cellsOf(line));
    } else {
      const sought = heading === undefined || heading === current;
      within = sought && cellsOf(line).join('|') === columns.join('|');
    }
  }
  return rows;
}

/** The anchors of a document, spelt as GitHub spells them. */
export function anchorsOf(document: string): ReadonlySet<string> {
  const headings = prose(readDocument(document)).match(/^#+ .*$/gm) ?? [];
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The targets of the links of a document that stay within the repository. */
export function localLinks(document: string): readonly string[] {
  const links = prose(readDocument(document)).matchAll(/\]\(([^)\s]+)\)/g);
  return [...links].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/i.test(target));
}

/** A fenced block of code. */
export interface CodeBlock {
  readonly document: string;
  /** The heading above it. */
  readonly heading: string;
  /** The number of its first line. */
  readonly line: number;
  /** As the fence names it; empty for drawings. */
  readonly language: string;
  readonly code: string;
}

/** The blocks of code of a document. */
export function codeBlocks(document: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let heading = '';
  let open: { language: string; line: number; lines: string[] } | undefined;
  readDocument(document)
    .split('\n')
    .forEach((text, index) => {
      const fence = /^\s*```(\S*)/.exec(text);
      if (open !== undefined && fence !== null) {
        const { language, line, lines } = open;
        blocks.push({ document, heading, line, language, code: lines.join('\n') });
        open = undefined;
      } else if (open !== undefined) open.lines.push(text);
      else if (fence !== null) open = { language: fence[1] ?? '', line: index + 2, lines: [] };
      else if (text.startsWith('#')) heading = text.replace(/^#+ /, '');
    });
  return blocks;
}
