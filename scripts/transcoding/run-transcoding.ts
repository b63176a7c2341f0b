/**
 * The proof of transcoding: every image of a folder of real files is stored, retrieved in every
 * transfer syntax, and its samples compared with those of the original, both read by decoders that
 * are not ours.
 */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { asKept } from '../corpus/check-file.js';
import { readExpectedRefusals } from '../corpus/tables.js';
import { alreadyStored, DicomwebClient, ServiceUnreachable } from '../support/dicomweb-client.js';
import { startProgress } from '../support/progress.js';
import type { ProgressOutput } from '../support/progress.js';
import { explain, explanations } from './explained.js';
import { whyImpossible } from './limits.js';
import { explainedOf, impossibleOf, matrixOf, sourceNames, targets } from './matrix.js';
import type { Outcome } from './matrix.js';
import { missingPackages, startOracle } from './oracle.js';
import type { Oracle, Source } from './oracle.js';

export interface TranscodingOutput {
  readonly stdout: ProgressOutput;
  readonly stderr: ProgressOutput;
}

const usage = `usage: transcoding --url URL [--corpus DIR] [--files TEXT] [--write DOCUMENT] [--verbose]
  --url      base URL of a running service
  --corpus   folder with DICOM files (or DICOM_CORPUS; default ../shared/corpus)
  --files    only files whose name contains this
  --write    puts the matrix into a document, between its markers
  --verbose  also lists what was compared by whom
  DICOMWEB_TOKEN, when set, is sent as bearer token.
`;
const marks = ['<!-- transcoding: begin -->', '<!-- transcoding: end -->'] as const;
/** Files that are retrieved before their comparison is over. */
const mostAhead = 3;
const htj2k = '1.2.840.10008.1.2.4.201';
const byWay = ' (by way of .201)';

interface Options {
  readonly url?: string;
  readonly corpus?: string;
  readonly files?: string;
  readonly write?: string;
  readonly verbose?: boolean;
}

/**
 * Runs it.
 *
 * @param root folder of the repository, for the defaults.
 * @returns the exit code: 0 when every failure is explained, 1 when not, 2 for bad arguments.
 */
export async function runTranscoding(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { stdout, stderr }: TranscodingOutput,
  root: string,
): Promise<number> {
  const options = readOptions(args);
  if (options?.url === undefined || !URL.canParse(options.url)) {
    stderr.write(usage);
    return 2;
  }
  const missing = await missingPackages();
  if (missing.length > 0) {
    stdout.write(`Not installed, so nothing is compared: ${missing.join(', ')}\n`);
    return 0;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'transcoding-'));
  const oracle = await startOracle(join(root, 'scripts/transcoding/oracle.py'), scratch);
  try {
    const corpus = options.corpus ?? environment['DICOM_CORPUS'] ?? join(root, '../shared/corpus');
    const refused = await readExpectedRefusals(join(root, 'scripts/corpus/expected-refusals.json'));
    const sources = (await oracle.list(corpus)).filter(
      ({ file, path, syntax }) =>
        sourceNames.has(syntax) &&
        file.includes(options.files ?? '') &&
        // Of those that a store refuses, the ones that could be completed lie elsewhere.
        (!refused.has(file) || path.startsWith(scratch)),
    );
    if (sources.length === 0) {
      stderr.write(`There are no such images in ${corpus}.\n`);
      return 2;
    }
    const client = new DicomwebClient(options.url, environment['DICOMWEB_TOKEN']);
    const outcomes = await checkAll({ client, oracle, scratch, output: stderr }, sources);
    const failed = outcomes.filter(({ kind }) => kind === 'failed');
    stdout.write(`${matrixOf(outcomes)}\n`);
    if (options.verbose === true) stdout.write(list('All', outcomes));
    stdout.write(
      list(
        'Explained',
        outcomes.filter(({ kind }) => kind === 'explained'),
      ),
    );
    stdout.write(list('FAILED', failed));
    const unused = explanations.filter((one) => outcomes.every((o) => o.explanation !== one));
    if (options.files === undefined) {
      for (const { files } of unused) stdout.write(`Explains nothing: ${files}\n`);
    }
    if (options.write !== undefined) await writeDocument(options.write, outcomes);
    return failed.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ServiceUnreachable)) throw error;
    stderr.write(`\n${error.message}\n`);
    return 1;
  } finally {
    await oracle.close();
    await rm(scratch, { recursive: true });
  }
}

function readOptions(args: readonly string[]): Options | undefined {
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        corpus: { type: 'string' },
        files: { type: 'string' },
        write: { type: 'string' },
        verbose: { type: 'boolean' },
      },
    }).values;
  } catch {
    return undefined;
  }
}

/** Everything that a pass over files needs. */
interface Equipment {
  readonly client: DicomwebClient;
  readonly oracle: Oracle;
  readonly scratch: string;
  readonly output: ProgressOutput;
}

/** The files, and after them what was made of some. */
async function checkAll(
  equipment: Equipment,
  sources: readonly Source[],
): Promise<readonly Outcome[]> {
  const kinds = new Set<string>();
  const made: Source[] = [];
  const outcomes = await checkEach(equipment, 'transcoding', sources, async (source, fetched) => {
    const again = await asSource(source, fetched, kinds);
    if (again !== undefined) made.push(again);
  });
  const further = await checkEach(
    equipment,
    'from HTJ2K',
    made,
    async () => await Promise.resolve(),
  );
  return [...outcomes, ...further];
}

/** Files go through the service one by one, since some share their UIDs; comparisons lag behind. */
async function checkEach(
  { client, oracle, scratch, output }: Equipment,
  title: string,
  sources: readonly Source[],
  onFetched: (source: Source, fetched: Fetched) => Promise<void>,
): Promise<readonly Outcome[]> {
  const progress = startProgress(output, title, sources.length);
  const finished = new Map<Source, readonly Outcome[]>();
  const underWay = new Set<Promise<void>>();
  for (const [index, source] of sources.entries()) {
    const fetched = await fetchTargets(client, source, join(scratch, `${title}-${index}`));
    await onFetched(source, fetched);
    const comparison = compare(oracle, source, fetched).then((outcomes) => {
      finished.set(source, outcomes);
      progress.step(source.file);
      underWay.delete(comparison);
    });
    underWay.add(comparison);
    if (underWay.size >= mostAhead) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  progress.finish();
  return sources.flatMap((source) => finished.get(source) ?? []);
}

/**
 * The HTJ2K of a file as one more source: the corpus has hardly any. One for each kind of pixels will
 * do; what it holds is compared with the original by then.
 */
async function asSource(
  source: Source,
  fetched: Fetched,
  kinds: Set<string>,
): Promise<Source | undefined> {
  const made = fetched.get(htj2k);
  const { samples, bitsAllocated, bitsStored, signed, interpretation } = source;
  const kind = [samples, bitsAllocated, bitsStored, signed, interpretation].join(' ');
  if (made === undefined || made === 'same' || !('path' in made)) return undefined;
  if (kinds.has(kind)) return undefined;
  kinds.add(kind);
  const path = `${made.path}-source`;
  await copyFile(made.path, path);
  return { ...source, file: `${source.file}${byWay}`, path, syntax: htj2k };
}

/** Target → the file in it, or why there is none; `same` for a file as it was stored. */
type Fetched = ReadonlyMap<string, { readonly path: string } | { readonly why: string } | 'same'>;

async function fetchTargets(
  client: DicomwebClient,
  source: Source,
  prefix: string,
): Promise<Fetched> {
  const file = await readFile(source.path);
  const why = await storeAfresh(client, source, file);
  const fetched = new Map<string, { path: string } | { why: string } | 'same'>();
  for (const target of targets) {
    if (why !== undefined) {
      fetched.set(target, { why });
      continue;
    }
    const accept = `application/dicom; transfer-syntax=${target}`;
    const answer = await client.get(client.storedUrl(source.address), accept);
    if (!answer.ok) {
      fetched.set(target, { why: `${answer.status} ${answer.message}` });
    } else if (target === source.syntax) {
      const isSame = asKept(file).equals(answer.body);
      fetched.set(target, isSame ? 'same' : { why: 'is not the file that was stored' });
    } else {
      const path = `${prefix}-${target}.dcm`;
      await writeFile(path, answer.body);
      fetched.set(target, { path });
    }
  }
  await client.delete(source.address);
  return fetched;
}

/** Stores a file; one that is there from elsewhere is deleted first. Says what went wrong, if anything. */
async function storeAfresh(
  client: DicomwebClient,
  { address }: Source,
  file: Uint8Array,
): Promise<string | undefined> {
  let outcome = await client.store(file);
  if (outcome.kind === 'failed' && outcome.reason === alreadyStored) {
    await client.delete(address);
    outcome = await client.store(file);
  }
  return outcome.kind === 'stored' ? undefined : `store: ${outcome.status} ${outcome.message}`;
}

async function compare(
  oracle: Oracle,
  source: Source,
  fetched: Fetched,
): Promise<readonly Outcome[]> {
  const candidates: Record<string, string> = {};
  for (const [target, file] of fetched) {
    if (file !== 'same' && 'path' in file) candidates[target] = file.path;
  }
  const verdicts = await oracle.compare({ original: source.path, candidates });
  for (const path of Object.values(candidates)) await rm(path);
  return [...fetched].map(([target, file]): Outcome => {
    if (file === 'same') return { source, target, kind: 'passed', why: 'as it was stored' };
    if ('why' in file) return failure(source, target, file.why, whyImpossible(source, target));
    const verdict = verdicts.get(target);
    const { by = '', worst, mean, why = 'no verdict' } = verdict ?? {};
    if (verdict?.ok !== true) return failure(source, target, `${by} ${why}`.trim(), undefined);
    const distance = `differs by ${worst ?? 0}, ${mean ?? 0} on average`;
    return { source, target, kind: 'passed', why: `${by} ${distance}` };
  });
}

function failure(
  source: Source,
  target: string,
  why: string,
  impossible: string | undefined,
): Outcome {
  if (impossible !== undefined && why.startsWith('406 ')) {
    return { source, target, kind: 'impossible', why: impossible };
  }
  const explanation = explain(source.file, target);
  return explanation === undefined
    ? { source, target, kind: 'failed', why }
    : { source, target, kind: 'explained', why, explanation };
}

function list(title: string, outcomes: readonly Outcome[]): string {
  if (outcomes.length === 0) return '';
  const lines = outcomes.map(({ source, target, kind, why }) => {
    const from = sourceNames.get(source.syntax) ?? source.syntax;
    return `  ${source.file}: ${from} to ${sourceNames.get(target) ?? target}: ${kind}: ${why}\n`;
  });
  return `${title} (${outcomes.length})\n${lines.join('')}\n`;
}

async function writeDocument(path: string, outcomes: readonly Outcome[]): Promise<void> {
  const text = await readFile(path, 'utf8');
  const [begin, end] = marks;
  const [before, rest = ''] = text.split(begin);
  const [, after] = rest.split(end);
  if (before === undefined || after === undefined) {
    throw new Error(`${path} lacks ${begin} and ${end}`);
  }
  const parts = [
    `### Matrix\n\n${matrixOf(outcomes)}`,
    `### Not to be had\n\n${impossibleOf(outcomes)}`,
    `### Explained failures\n\n${explainedOf(outcomes)}`,
  ];
  await writeFile(path, `${before}${begin}\n\n${parts.join('\n')}\n${end}${after}`);
}
