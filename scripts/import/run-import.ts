/** `npm run import`: reads its arguments, imports, and says what became of everything. */
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import { ServiceError } from '../../src/errors.js';
import { readConfig, type Config, type StorageSettings } from '../../src/host/config.js';
import { openImportQueue, openServices } from '../../src/host/composition.js';
import { SettingError } from '../../src/host/settings.js';
import { ServiceUnreachable } from '../support/dicomweb-client.js';
import { serviceUrl } from '../support/service-url.js';
import type { ProgressOutput } from '../support/progress.js';
import { announceContainer, importContainer } from './import-container.js';
import { importFiles } from './import-files.js';
import { listFiles } from './local-files.js';
import { StoreDenied } from './store-batch.js';
import { Tally } from './tally.js';

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: ProgressOutput;
  readonly stderr: ProgressOutput;
}

const defaultJournal = 'import.journal';
const containerName = 'import';
/** Before each further attempt while the service is busy. */
const defaultPauses = [1000, 2000, 4000, 8000, 16_000];

const usage = `usage: npm run import -- FOLDER|FILE…|-  [--url URL] [--parallel N] [--journal FILE] [--report FILE] [--replace]
       npm run import -- ${containerName}|URL     [--prefix P] [--parallel N] [--enqueue]
       npm run import -- --poison | --retry-poison
  FOLDER, FILE    sent to the running service; - reads their names from standard input, one a line
  ${containerName}, URL     what is in the container ${containerName} of the storage account (DicomStorage…)
  --url           base URL of the service (or DICOMWEB_URL; default http://localhost:PORT, 7071)
  --parallel      requests, or files of the container, at the same time (4)
  --journal       remembers what is in the service (${defaultJournal})
  --report        names every file that is not in the service: CSV when it ends in .csv, else JSON lines
  --replace       files take the place of others that are there with their UIDs
  --prefix        only files of the container whose names begin so
  --enqueue       announces the files of the container to the import function
  --poison        lists what the function could not import
  --retry-poison  announces it anew
  DICOMWEB_TOKEN, when set, is sent as bearer token.
See docs/import.md.
`;

/** Arguments or settings that make no sense; shown as it is. */
class Misuse extends Error {
  override readonly name = 'Misuse';
}

function readOptions(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        journal: { type: 'string', default: defaultJournal },
        parallel: { type: 'string', default: '4' },
        prefix: { type: 'string', default: '' },
        report: { type: 'string' },
        replace: { type: 'boolean', default: false },
        enqueue: { type: 'boolean', default: false },
        poison: { type: 'boolean', default: false },
        'retry-poison': { type: 'boolean', default: false },
      },
    });
    const parallel = Number(values.parallel);
    const isAboutPoison = values.poison || values['retry-poison'];
    if (!Number.isInteger(parallel) || parallel < 1 || parallel > 64) return undefined;
    if ((positionals.length === 0) !== isAboutPoison) return undefined;
    const isAlone = (source: string) => source === '-' || isContainer(source);
    if (positionals.length > 1 && positionals.some(isAlone)) return undefined;
    return { ...values, parallel, sources: positionals };
  } catch {
    return undefined;
  }
}

type Options = NonNullable<ReturnType<typeof readOptions>>;

/** @throws Misuse without a storage account. */
function storageOf({ storage }: Config): StorageSettings {
  if (storage !== undefined) return storage;
  throw new Misuse(
    'Name the storage account with DicomStorage (docs/configuration.md). To import into the local server, give a folder.',
  );
}

/** Whether the source is a container rather than a path; a folder of that name comes first. */
function isContainer(source: string): boolean {
  return /^https?:\/\//i.test(source) || (source === containerName && !existsSync(source));
}

/** @throws Misuse for a URL that is not that of the container. */
function checkContainer(source: string, storage: StorageSettings): void {
  if (source === containerName) return;
  const account =
    storage.kind === 'identity'
      ? storage.blobServiceUri
      : BlobServiceClient.fromConnectionString(storage.connectionString).url;
  const wanted = `${account.replace(/\/+$/, '')}/${containerName}`;
  if (source.replace(/\/*(\?.*)?$/, '') === wanted) return;
  throw new Misuse(
    `Only the container ${wanted} is imported. Copy the files there first: azcopy copies within Azure.`,
  );
}

async function fromMachine(
  sources: readonly string[],
  options: Options,
  environment: NodeJS.ProcessEnv,
  { stdin, stdout, stderr }: Terminal,
  pauses: readonly number[],
): Promise<boolean> {
  const url = serviceUrl(options.url, environment);
  if (!URL.canParse(url)) throw new Misuse(`${url} is no URL.`);
  const lines = sources[0] === '-' ? (await text(stdin)).split(/\r?\n/) : sources;
  let files: readonly string[];
  try {
    files = await listFiles(lines.filter((line) => line !== ''));
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
  const token = environment['DICOMWEB_TOKEN'];
  const target = { url, pauses, ...(token !== undefined && token !== '' && { token }) };
  const tally = new Tally();
  try {
    const { journal, parallel, replace, report } = options;
    const work = { target, journal, parallel, replace, ...(report !== undefined && { report }) };
    await importFiles(files, work, tally, stderr);
  } catch (error) {
    if (!(error instanceof ServiceUnreachable || error instanceof StoreDenied)) throw error;
    stderr.write(`${error.message}\nThe next run goes on where this one stopped.\n`);
    stdout.write(tally.report(url));
    return false;
  }
  stdout.write(tally.report(url));
  return tally.complete;
}

async function fromContainer(
  source: string,
  options: Options,
  config: Config,
  { stdout, stderr }: Terminal,
): Promise<boolean> {
  const storage = storageOf(config);
  checkContainer(source, storage);
  const queue = options.enqueue ? await openImportQueue(storage) : undefined;
  const services = await openServices(storage, config);
  const tally = new Tally();
  const { prefix, parallel } = options;
  const work = { prefix, parallel, keepFiles: config.importKeepsFiles };
  if (queue === undefined) {
    await importContainer(services, work, tally, stderr);
    await services.archive.close();
  } else {
    await queue.ensureCreated();
    const send = async (name: string) => await queue.send(name);
    await announceContainer(services.archive.blobs, send, work, tally, stderr);
  }
  stdout.write(tally.report(`container ${containerName}`));
  return tally.complete;
}

/** @returns whether there is nothing among the poison messages. */
async function poison(retry: boolean, config: Config, { stdout }: Terminal): Promise<boolean> {
  const queue = await openImportQueue(storageOf(config));
  if (retry) {
    const count = await queue.retryPoison();
    stdout.write(`${count} messages were put back into the queue.\n`);
    return true;
  }
  const { messages, count } = await queue.poison();
  const lines = messages.map(
    ({ text: message, since }) => `  ${since.toISOString()}  ${message}\n`,
  );
  const more = count > messages.length ? `  and ${count - messages.length} more\n` : '';
  stdout.write(`${count} poison messages\n${lines.join('')}${more}`);
  return count === 0;
}

/**
 * Runs the script.
 *
 * @param pauses - milliseconds between attempts while the service is busy.
 * @returns the exit code: 0 when every DICOM file is in the archive or announced, or no message is
 *   poison; 1 when not; 2 for bad arguments or settings.
 */
export async function runImport(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
  pauses: readonly number[] = defaultPauses,
): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    terminal.stderr.write(usage);
    return 2;
  }
  try {
    const { sources } = options;
    const [source] = sources;
    // The settings of the archive do not concern who sends files to a service elsewhere.
    const config = () => readConfig(environment);
    if (source === undefined) {
      return (await poison(options['retry-poison'], config(), terminal)) ? 0 : 1;
    }
    const isDone = isContainer(source)
      ? await fromContainer(source, options, config(), terminal)
      : await fromMachine(sources, options, environment, terminal, pauses);
    return isDone ? 0 : 1;
  } catch (error) {
    if (error instanceof Misuse || error instanceof SettingError) {
      terminal.stderr.write(`${error.message}\n`);
      return 2;
    }
    if (!(error instanceof ServiceError)) throw error;
    terminal.stderr.write(`${error.message}\n`);
    return 1;
  }
}
