/**
 * The corpus run: every real file goes through a running service and is checked against the file
 * itself and against independent readers.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { alreadyStored, DicomwebClient, ServiceUnreachable } from '../support/dicomweb-client.js';
import type { InstanceAddress } from '../support/dicomweb-client.js';
import { startProgress } from '../support/progress.js';
import type { ProgressOutput } from '../support/progress.js';
import { checkFile, compareBytes } from './check-file.js';
import type { FileResult } from './check-file.js';
import { consultOracles } from './oracles.js';
import type { Testimonies } from './oracles.js';
import { writeReport } from './report.js';
import type { Refill } from './report.js';
import { readExpectedRefusals, readExplanations } from './tables.js';

export interface CorpusOutput {
  readonly stdout: ProgressOutput;
  readonly stderr: ProgressOutput;
}

const usage = `usage: run --url URL [--corpus DIR] [--tables DIR] [--no-oracles] [--verbose]
  --url         base URL of a running service that is empty, or holds an earlier run
  --corpus      folder with DICOM files (or DICOM_CORPUS; default ../shared/corpus)
  --tables      folder with expected-refusals.json, explained-differences.json and oracle.py
  --no-oracles  compares bytes only
  --verbose     also lists what is fine but worth a look
  DICOMWEB_TOKEN, when set, is sent as bearer token.
`;
/** Every n-th file is sent as a bare application/dicom body instead of multipart. */
const singlePartEvery = 8;
const refillClients = 8;
/** Already there, or being stored by another client at this moment. */
const duplicateReasons = new Set([alreadyStored, 45071]);

/**
 * Runs the corpus.
 *
 * @param root folder of the repository, for the defaults.
 * @returns the exit code: 0 when all is well, 1 when not, 2 for bad arguments.
 */
export async function runCorpus(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { stdout, stderr }: CorpusOutput,
  root: string,
): Promise<number> {
  const options = readOptions(args);
  if (options?.url === undefined || !URL.canParse(options.url)) {
    stderr.write(usage);
    return 2;
  }
  const corpus = options.corpus ?? environment['DICOM_CORPUS'] ?? join(root, '../shared/corpus');
  const tables = options.tables ?? join(root, 'scripts/corpus');
  const files = await listFiles(corpus);
  if (files.length === 0) {
    stderr.write(`There are no files in ${corpus}.\n`);
    return 2;
  }
  const client = new DicomwebClient(options.url, environment['DICOMWEB_TOKEN']);
  try {
    const testimonies =
      options['no-oracles'] === true
        ? withoutOracles
        : await consult(corpus, files, join(tables, 'oracle.py'), stderr);
    const results = await checkAll(client, corpus, files, testimonies, stderr);
    const refill = await refillStore(client, corpus, results, stderr);
    const report = writeReport(
      { results, refill, oraclesAbsent: testimonies.absent },
      await readExpectedRefusals(join(tables, 'expected-refusals.json')),
      await readExplanations(join(tables, 'explained-differences.json')),
      options.verbose,
    );
    stdout.write(report.text);
    return report.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ServiceUnreachable)) throw error;
    stderr.write(`\n${error.message}\n`);
    return 1;
  }
}

const withoutOracles: Testimonies = { byFile: new Map(), present: [], absent: [] };

function readOptions(args: readonly string[]): Options | undefined {
  try {
    return parseArgs({
      args: [...args],
      options: {
        url: { type: 'string' },
        corpus: { type: 'string' },
        tables: { type: 'string' },
        'no-oracles': { type: 'boolean' },
        verbose: { type: 'boolean' },
      },
    }).values;
  } catch {
    return undefined;
  }
}

interface Options {
  readonly url?: string;
  readonly corpus?: string;
  readonly tables?: string;
  readonly 'no-oracles'?: boolean;
  readonly verbose?: boolean;
}

/** Every file below a folder but notes in Markdown, sorted, with `/` whatever the platform. */
async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.md'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

async function consult(
  corpus: string,
  files: readonly string[],
  script: string,
  output: ProgressOutput,
): Promise<Testimonies> {
  const progress = startProgress(output, 'oracles', files.length);
  const testimonies = await consultOracles(corpus, files, script, (file) => progress.step(file));
  progress.finish();
  return testimonies;
}

async function checkAll(
  client: DicomwebClient,
  corpus: string,
  files: readonly string[],
  testimonies: Testimonies,
  output: ProgressOutput,
): Promise<ReadonlyMap<string, FileResult>> {
  const progress = startProgress(output, 'check', files.length);
  const results = new Map<string, FileResult>();
  for (const [index, file] of files.entries()) {
    const bytes = await readFile(join(corpus, file));
    const mode = index % singlePartEvery === 0 ? 'single' : 'multipart';
    const testimony = testimonies.byFile.get(file) ?? { oracles: [] };
    results.set(file, await checkFile(client, bytes, mode, testimony));
    progress.step(file);
  }
  progress.finish();
  return results;
}

/**
 * Stores every storable file again, eight at a time, so that the service ends up full. Of the files
 * that share their UIDs exactly one may win, and it is the one that is then retrieved.
 */
async function refillStore(
  client: DicomwebClient,
  corpus: string,
  results: ReadonlyMap<string, FileResult>,
  output: ProgressOutput,
): Promise<Refill> {
  const rivals = new Map<string, { address: InstanceAddress; files: string[] }>();
  for (const [file, result] of results) {
    if (result.kind !== 'stored' || result.address === undefined) continue;
    const key = client.instanceUrl(result.address);
    const entry = rivals.get(key) ?? { address: result.address, files: [] };
    entry.files.push(file);
    rivals.set(key, entry);
  }
  const queue = [...rivals.values()].flatMap(({ files }) => files);
  const progress = startProgress(output, 'refill', queue.length + rivals.size);
  const problems: string[] = [];
  let stored = 0;
  let duplicates = 0;
  await eachOf(queue, async (file) => {
    const outcome = await client.store(await readFile(join(corpus, file)));
    if (outcome.kind === 'stored') stored += 1;
    else if (outcome.kind === 'failed' && duplicateReasons.has(outcome.reason)) duplicates += 1;
    else problems.push(`${file}: second store: ${outcome.status} ${outcome.message}`);
    progress.step(file);
  });
  await eachOf([...rivals.values()], async ({ address, files }) => {
    const candidates = await Promise.all(files.map((file) => readFile(join(corpus, file))));
    const differences = await compareBytes(client, address, ...candidates);
    problems.push(...differences.map((difference) => `${files.join(' or ')}: ${difference}`));
    progress.step(files[0] ?? '');
  });
  progress.finish();
  if (stored !== rivals.size) {
    problems.push(
      `second store: ${stored} stored, but there are ${rivals.size} distinct instances`,
    );
  }
  return { stored, duplicates, problems };
}

/** Works through a list with a few clients at once. */
async function eachOf<T>(list: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const remaining = list.values();
  const worker = async (): Promise<void> => {
    for (const item of remaining) await work(item);
  };
  await Promise.all(Array.from({ length: refillClients }, worker));
}
