/**
 * The two checked-in tables that tell the corpus run what is right although it looks wrong: files
 * that must be refused, and differences from the oracles that have a reason.
 */
import { readFile } from 'node:fs/promises';
import type { Finding } from './compare.js';

/** File → why it must be refused, in words. */
export type ExpectedRefusals = ReadonlyMap<string, string>;

/** A difference from the oracles that has a reason. */
export interface Explanation {
  /** Files, with `*` for any run of characters and `?` for one. */
  readonly files: string;
  /** The tag, eight hex digits with `x` for any digit, or `private` for every odd group. */
  readonly tag: string;
  readonly why: string;
}

/** Reads `expected-refusals.json`: an object of file → reason. */
export async function readExpectedRefusals(path: string): Promise<ExpectedRefusals> {
  const table: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (typeof table !== 'object' || table === null) throw new Error(`${path} is not an object`);
  return new Map(Object.entries(table).map(([file, why]) => [file, String(why)]));
}

/** Reads `explained-differences.json`: a list of explanations. */
export async function readExplanations(path: string): Promise<readonly Explanation[]> {
  const table: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!Array.isArray(table)) throw new Error(`${path} is not a list`);
  return table.map((entry: unknown, index) => {
    const { files, tag, why } = entry as Record<string, unknown>;
    if (typeof files === 'string' && typeof tag === 'string' && typeof why === 'string') {
      return { files, tag, why };
    }
    throw new Error(`${path}: entry ${index} needs files, tag and why`);
  });
}

/** The explanation that covers a finding, if any. */
export function explain(
  file: string,
  finding: Finding,
  explanations: readonly Explanation[],
): Explanation | undefined {
  const tag = finding.path.slice(-8);
  return explanations.find(
    (explanation) => matches(file, explanation.files) && tagMatches(tag, explanation.tag),
  );
}

function tagMatches(tag: string, pattern: string): boolean {
  if (pattern === 'private') return Number.parseInt(tag.slice(0, 4), 16) % 2 === 1;
  return new RegExp(`^${pattern.replaceAll('x', '[0-9A-F]')}$`, 'i').test(tag);
}

function matches(text: string, glob: string): boolean {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(text);
}
