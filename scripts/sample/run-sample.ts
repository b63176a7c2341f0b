/**
 * Draws the sample instances, writes them to a folder, stores them in a running service, and says
 * what happened and what to look at next.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { alreadyStored, DicomwebClient, ServiceUnreachable } from '../support/dicomweb-client.js';
import type { StoreOutcome } from '../support/dicomweb-client.js';
import { serviceUrl } from '../support/service-url.js';
import { startProgress } from '../support/progress.js';
import type { ProgressOutput } from '../support/progress.js';
import { sampleInstances, writeSample } from './instances.js';

export interface Output {
  readonly stdout: ProgressOutput;
  readonly stderr: ProgressOutput;
}

const defaultFolder = 'samples';
const usage = `usage: npm run sample [-- --url URL] [--out DIR]
  --url  base URL of the service (or DICOMWEB_URL; default http://localhost:PORT, 7071)
  --out  folder for the files (default ${defaultFolder})
  DICOMWEB_TOKEN, when set, is sent as bearer token.
`;

/**
 * Runs the script.
 *
 * @returns the exit code: 0 when every instance is in the service, 1 when not, 2 for bad arguments.
 */
export async function runSample(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { stdout, stderr }: Output,
): Promise<number> {
  const options = readOptions(args, environment);
  if (options === undefined) {
    stderr.write(usage);
    return 2;
  }
  const { out, url } = options;
  const client = new DicomwebClient(url, environment['DICOMWEB_TOKEN']);
  const lines: string[] = [];
  let allThere = true;
  try {
    await mkdir(out, { recursive: true });
    const progress = startProgress(stderr, 'samples', sampleInstances.length);
    for (const sample of sampleInstances) {
      const file = writeSample(sample);
      await writeFile(join(out, `${sample.name}.dcm`), file);
      const outcome = await client.store(file);
      progress.step(sample.name);
      lines.push(`  ${sample.name.padEnd(12)}  ${describe(outcome)}`);
      allThere &&= isThere(outcome);
    }
    progress.finish();
    stdout.write(`${client.url}, copies in ${out}/\n${lines.join('\n')}\n`);
    if (allThere) stdout.write(await linksToTry(client));
  } catch (error) {
    if (!(error instanceof ServiceUnreachable)) throw error;
    stderr.write(
      `\n${error.message}\nIs the service running? Start it with "npm start" in another terminal, ` +
        'or name another one with --url, DICOMWEB_URL or, on this machine, PORT.\n',
    );
    return 1;
  }
  return allThere ? 0 : 1;
}

function readOptions(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): { out: string; url: string } | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { url: { type: 'string' }, out: { type: 'string' } },
    });
    const url = serviceUrl(values.url, environment);
    return URL.canParse(url) ? { out: values.out ?? defaultFolder, url } : undefined;
  } catch {
    return undefined;
  }
}

function isThere(outcome: StoreOutcome): boolean {
  return (
    outcome.kind === 'stored' || (outcome.kind === 'failed' && outcome.reason === alreadyStored)
  );
}

function describe(outcome: StoreOutcome): string {
  switch (outcome.kind) {
    case 'stored':
      return outcome.warning === undefined ? 'stored' : `stored, warning ${outcome.warning}`;
    case 'failed':
      return outcome.reason === alreadyStored
        ? 'already there'
        : `refused: reason ${outcome.reason} ${outcome.message}`;
    case 'rejected':
      return `not stored: ${explainStatus(outcome.status)} ${outcome.message}`;
  }
}

function explainStatus(status: number): string {
  if (status === 401) return 'the service wants a token (401): set DICOMWEB_TOKEN.';
  if (status === 403) return 'the token may not store (403).';
  if (status === 404) return 'nothing there takes studies (404): is the URL right?';
  return `the service answered ${status}.`;
}

/** Links into what was just stored; only those that this service answers are offered. */
async function linksToTry(client: DicomwebClient): Promise<string> {
  const [first] = sampleInstances;
  if (first === undefined) return '';
  const study = `${client.url}/studies/${first.study}`;
  const json = 'application/dicom+json';
  const candidates: readonly [label: string, url: string, accept: string][] = [
    ['the patient’s studies', `${client.url}/studies?PatientID=ID1`, json],
    ['the two series', `${study}/series`, json],
    ['all metadata', `${study}/metadata`, json],
    [first.name, `${client.instanceUrl(first)}/rendered`, 'image/jpeg'],
  ];
  const answers = await Promise.all(
    candidates.map(async ([, url, accept]) => (await client.get(url, accept)).ok),
  );
  const links = candidates
    .filter((_, index) => answers[index] === true)
    .map(([label, url]) => `  ${label}\n    ${url}\n`);
  return links.length === 0 ? '' : `Try:\n${links.join('')}`;
}
