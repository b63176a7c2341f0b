/** `npm run migrate`: reads its arguments, copies one service into another, and says what became of everything. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openReport } from '../import/report.js';
import { StoreDenied } from '../import/store-batch.js';
import { Tally } from '../import/tally.js';
import { ServiceUnreachable } from '../support/dicomweb-client.js';
import { serviceUrl } from '../support/service-url.js';
import {
  copyOptions,
  defaultTiming,
  readCopyOptions,
  type CopyTiming,
  type Terminal,
} from './copy-options.js';
import { DestinationRefused, openDestination } from './destination.js';
import { migrateOnce, type Item } from './migrate.js';
import { copyItems, deleteItems, type Copied } from './migrate-instances.js';
import { openMigrationJournal, OtherJournal, type Dated } from './migration-journal.js';
import { openSource, SourceRefused, type Way } from './source.js';
import { NoToken, tokensOf } from './tokens.js';

const defaultJournal = 'migrate.journal';

const usage = `usage: npm run migrate -- --from URL [--token TOKEN | --token-command COMMAND] [--to URL] [--follow] …
  --from              DICOMweb URL of the source, with its version and partition where it has them (…/v2)
  --token             bearer token for the source (or DICOMWEB_SOURCE_TOKEN)
  --token-command     prints that token; asked again every twenty minutes
  --to                base URL of this service (or DICOMWEB_URL; default http://localhost:PORT, 7071)
  --to-token-command  prints the token for this service; else DICOMWEB_TOKEN is sent
  --by                feed or search; the change feed when left out, where there is one
  --follow            goes on until it is stopped (Ctrl-C), then reports
  --interval          seconds between two passes of --follow (10)
  --parallel          groups of 25 instances at the same time (4)
  --journal           remembers how far it is (${defaultJournal})
  --again             compares everything anew
  --replace           instances take the place of others that are there with their UIDs
  --report            names every instance that is not in this service: CSV when it ends in .csv, else JSON lines
See docs/migration.md.
`;

function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...copyOptions,
        from: { type: 'string' },
        token: { type: 'string' },
        to: { type: 'string' },
        'to-token-command': { type: 'string' },
        follow: { type: 'boolean', default: false },
        interval: { type: 'string', default: '10' },
        journal: { type: 'string', default: defaultJournal },
        replace: { type: 'boolean', default: false },
        report: { type: 'string' },
      },
    });
    const { from } = values;
    const copying = readCopyOptions(values);
    const interval = Number(values.interval);
    if (from === undefined || copying === undefined) return undefined;
    if (!(interval > 0 && interval <= 86_400)) return undefined;
    const token = values.token ?? environment['DICOMWEB_SOURCE_TOKEN'];
    const to = serviceUrl(values.to, environment);
    return { ...values, ...copying, from, interval, token, to };
  } catch {
    return undefined;
  }
}

type Options = NonNullable<ReturnType<typeof readOptions>>;

const ways: Readonly<Record<Way, string>> = {
  sequence: 'change feed',
  window: 'change feed',
  search: 'search',
};

/** What ends a run, and can be mended by who started it. */
const ends = [
  ServiceUnreachable,
  StoreDenied,
  SourceRefused,
  DestinationRefused,
  OtherJournal,
  NoToken,
] as const;

function endOf(error: unknown): Error | undefined {
  return ends.some((End) => error instanceof End) ? (error as Error) : undefined;
}

/** Waits for the next pass. @returns whether there is to be none. */
async function isStopped(signal: AbortSignal, seconds: number): Promise<boolean> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
  return signal.aborted;
}

async function migrate(
  options: Options,
  environment: NodeJS.ProcessEnv,
  { stdout, stderr }: Terminal,
  { pauses, settling }: CopyTiming,
  signal: AbortSignal,
): Promise<boolean> {
  const started = Date.now();
  const { from, by, journal: journalPath, parallel, replace, again } = options;
  const tokens = tokensOf(options.token, options['token-command']);
  const ours = tokensOf(environment['DICOMWEB_TOKEN'], options['to-token-command']);
  const source = await openSource({ url: from, tokens, pauses, by });
  const destination = await openDestination({ url: options.to, tokens: ours, pauses });
  const journal = await openMigrationJournal(journalPath, source.root, destination.root);
  const report = options.report === undefined ? undefined : await openReport(options.report);
  const folder = await mkdtemp(path.join(tmpdir(), 'dicomweb-migrate-'));
  const tally = new Tally();
  let instances = 0;
  let bytes = 0;
  let readTo: string | undefined;
  let said = '';
  const parts = {
    ...{ source, destination, journal, folder },
    tell: async (results: readonly Copied[]) => {
      await report?.add(results);
      for (const result of results) {
        tally.add(result);
        instances += 1;
        bytes += result.bytes;
      }
    },
  };
  const pass = {
    ...{ source, journal, parallel, replace, settling, signal },
    copy: async (items: readonly Item[]) => await copyItems(parts, items),
    remove: async (items: readonly Dated[]) => await deleteItems(parts, items),
    onProgress: (time: string | undefined) => {
      readTo = time ?? readTo;
      const line = `migrate: ${instances} instances${readTo === undefined ? '' : `, changes up to ${readTo}`}\n`;
      if (line !== said) stderr.write(line);
      said = line;
    },
  };
  let end: Error | undefined;
  try {
    for (let isFirst = true; ;) {
      await migrateOnce({ ...pass, again: again && isFirst });
      isFirst = false;
      if (!options.follow || (await isStopped(signal, options.interval))) break;
    }
  } catch (error) {
    end = endOf(error);
    if (end === undefined) throw error;
  } finally {
    await journal.close();
    await report?.close();
    await rm(folder, { recursive: true, force: true });
  }
  if (end !== undefined) {
    stderr.write(`${end.message}\nThe next run goes on where this one stopped.\n`);
  }
  const seconds = Math.max(1, Math.round((Date.now() - started) / 1000));
  stdout.write(tally.report(`${source.root} → ${destination.root}, by ${ways[source.way]}`));
  stdout.write(
    `${(bytes / 1024 ** 2).toFixed(1)} MiB in ${seconds} s` +
      `${readTo === undefined ? '' : `; changes up to ${readTo}`}\n`,
  );
  return end === undefined && tally.complete;
}

/**
 * Runs the script.
 *
 * @param signal - ends the run after what is under way; it reports, and the next run goes on.
 * @returns the exit code: 0 when everything that was looked at is in the destination with its own bytes, or its own
 *   attributes and pixels; 1 when not; 2 for bad arguments.
 */
export async function runMigrate(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
  signal: AbortSignal,
  timing: CopyTiming = defaultTiming,
): Promise<number> {
  const options = readOptions(args, environment);
  if (options === undefined) {
    terminal.stderr.write(usage);
    return 2;
  }
  try {
    return (await migrate(options, environment, terminal, timing, signal)) ? 0 : 1;
  } catch (error) {
    const end = endOf(error);
    if (end === undefined) throw error;
    terminal.stderr.write(`${end.message}\n`);
    return end instanceof ServiceUnreachable ? 1 : 2;
  }
}
