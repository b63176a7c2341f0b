/** The rendering run: every frame that DCMTK can show too is shown by both and compared. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ServiceError } from '../../src/errors.js';
import { pictureOf } from '../../src/dicom/pixel/render/render-frame.js';
import { compare, nearby } from './compare-pictures.js';
import { dcmtkPicture } from './dcmtk.js';
import { readFrame } from './read-frame.js';

export interface RenderingRun {
  readonly corpus: string;
  /** JSON: a list of { files, why }. */
  readonly explanations: string;
  readonly output: { write(text: string): unknown };
}

interface Explanation {
  /** A regular expression over paths in the corpus. */
  readonly files: string;
  readonly why: string;
}

type Verdict =
  | { readonly kind: 'compared'; readonly near: number; readonly worst: number }
  | { readonly kind: 'differs'; readonly how: string }
  | { readonly kind: 'skipped'; readonly why: string };

/** Share of samples that must be near. */
const leastNear = 0.99;
const fewestFiles = 40;

async function verdictOn(path: string): Promise<Verdict> {
  const file = await readFile(path);
  let read: Awaited<ReturnType<typeof readFrame>>;
  try {
    read = await readFrame(file, 1);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { kind: 'skipped', why: `the service refuses it: ${error.message}` };
  }
  if (read === undefined) return { kind: 'skipped', why: 'no pixels that DCMTK reads' };
  const { frame, presentation, transferSyntax } = read;
  const theirs = await dcmtkPicture(path, transferSyntax, 1, presentation);
  if (theirs === undefined)
    return { kind: 'skipped', why: `DCMTK does not read ${transferSyntax}` };
  if (theirs instanceof Error)
    return { kind: 'skipped', why: `DCMTK refuses it: ${theirs.message}` };
  const likeness = compare(pictureOf(frame, presentation), theirs);
  if (likeness === 'another size') return { kind: 'differs', how: 'pictures of different sizes' };
  return { kind: 'compared', ...likeness };
}

function line(name: string, verdict: Verdict): string {
  switch (verdict.kind) {
    case 'compared':
      return `${(verdict.near * 100).toFixed(2).padStart(6)} %  worst ${String(verdict.worst).padStart(3)}  ${name}`;
    case 'differs':
      return `${verdict.how}  ${name}`;
    case 'skipped':
      return `skipped  ${name}: ${verdict.why}`;
  }
}

function isAlike(verdict: Verdict): boolean {
  return verdict.kind === 'compared' && verdict.near >= leastNear;
}

/**
 * Compares the first frame of every file.
 *
 * @returns the exit code: 0 when enough files are alike and every other one is explained.
 */
export async function runRendering(
  args: readonly string[],
  { corpus, explanations, output }: RenderingRun,
): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { corpus: { type: 'string' } } });
  const folder = values.corpus ?? corpus;
  const explained = JSON.parse(await readFile(explanations, 'utf8')) as readonly Explanation[];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !/\.(md|txt|json)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const tally = { alike: 0, explained: 0, unexplained: 0, skipped: 0 };
  for (const path of paths) {
    const name = relative(folder, path);
    const verdict = await verdictOn(path).catch((error: unknown): Verdict => ({
      kind: 'differs',
      how: `failed: ${String(error)}`,
    }));
    output.write(`${line(name, verdict)}\n`);
    if (verdict.kind === 'skipped') tally.skipped++;
    else if (isAlike(verdict)) tally.alike++;
    else {
      const why = explained.find(({ files }) => new RegExp(files).test(name))?.why;
      output.write(`          ${why ?? 'NOT EXPLAINED'}\n`);
      if (why === undefined) tally.unexplained++;
      else tally.explained++;
    }
  }
  output.write(
    `\n${tally.alike} files alike (at least ${leastNear * 100} % of samples within ${nearby} levels), ` +
      `${tally.explained} differ for a reason that is known, ${tally.unexplained} for none, ` +
      `${tally.skipped} have nothing to compare.\n`,
  );
  return tally.unexplained === 0 && tally.alike >= fewestFiles ? 0 : 1;
}
