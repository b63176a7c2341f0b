/** `npm run export`: reads its arguments, saves everything of a service in a folder, and says what became of it. */
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Result } from '../import/tally.js';
import { Tally } from '../import/tally.js';
import {
  copyOptions,
  defaultTiming,
  readCopyOptions,
  type CopyTiming,
  type Terminal,
} from '../migrate/copy-options.js';
import { migrateOnce, type Item } from '../migrate/migrate.js';
import { openMigrationJournal, OtherJournal, type Dated } from '../migrate/migration-journal.js';
import { openSource, SourceRefused } from '../migrate/source.js';
import { NoToken, tokensOf } from '../migrate/tokens.js';
import { ServiceUnreachable } from '../support/dicomweb-client.js';
import { serviceUrl } from '../support/service-url.js';
import { openChecksums } from './checksums.js';
import { forgetItems, saveItems, type SaveParts } from './save-instances.js';
import { verifyFolder } from './verify-folder.js';

const journalName = 'export.journal';

const usage = `usage: npm run export -- --to FOLDER [--url URL] [--token-command COMMAND] …
  --to             folder; files are study/series/instance.dcm in it, below partitions/NAME where there are some
  --url            base URL of the service (or DICOMWEB_URL; default http://localhost:PORT, 7071)
  --token-command  prints a bearer token; else DICOMWEB_TOKEN is sent
  --by             feed or search; the change feed when left out, where there is one
  --parallel       files at the same time (4)
  --mirror         files of instances that were deleted in the service go
  --again          saves everything anew
  --verify         saves nothing; compares the files with SHA256SUMS
A later run goes on, or saves what is new. See docs/deploy.md.
`;

function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...copyOptions,
        to: { type: 'string' },
        url: { type: 'string' },
        mirror: { type: 'boolean', default: false },
        verify: { type: 'boolean', default: false },
      },
    });
    const { to } = values;
    const copying = readCopyOptions(values);
    if (to === undefined || copying === undefined) return undefined;
    const url = serviceUrl(values.url, environment);
    return { ...values, ...copying, to: path.resolve(to), url };
  } catch {
    return undefined;
  }
}

type Options = NonNullable<ReturnType<typeof readOptions>>;

async function save(
  options: Options,
  environment: NodeJS.ProcessEnv,
  { stderr }: Terminal,
  { pauses, settling }: CopyTiming,
  signal: AbortSignal,
  tally: Tally,
): Promise<void> {
  const { to: folder, by, parallel, mirror, again, url } = options;
  const tokens = tokensOf(environment['DICOMWEB_TOKEN'], options['token-command']);
  const source = await openSource({ url, tokens, pauses, by });
  await mkdir(folder, { recursive: true });
  const journal = await openMigrationJournal(path.join(folder, journalName), source.root, '.');
  const checksums = await openChecksums(folder);
  let instances = 0;
  const tell = async (result: Result): Promise<void> => {
    await Promise.resolve();
    tally.add(result);
    instances += 1;
  };
  const parts: SaveParts = { source, journal, folder, checksums, mirror, tell };
  try {
    await migrateOnce({
      ...{ source, journal, parallel, settling, signal, again, replace: false },
      copy: async (items: readonly Item[]) => await saveItems(parts, items),
      remove: async (items: readonly Dated[]) => await forgetItems(parts, items),
      onProgress: () => {
        stderr.write(`export: ${instances} instances\n`);
      },
    });
  } finally {
    await journal.close();
    await checksums.close();
  }
}

async function verify({ to, parallel }: Options, tally: Tally): Promise<void> {
  const checksums = await openChecksums(to);
  try {
    await verifyFolder(to, checksums, parallel, async (result) => {
      await Promise.resolve();
      tally.add(result);
    });
  } finally {
    await checksums.close();
  }
}

/** Ends of a run that can be mended by who started it. */
function endOf(error: unknown): Error | undefined {
  const ends = [ServiceUnreachable, SourceRefused, OtherJournal, NoToken] as const;
  if (ends.some((End) => error instanceof End)) return error as Error;
  // Of the file system: no room, no permission.
  return error instanceof Error && 'code' in error && 'syscall' in error ? error : undefined;
}

/**
 * Runs the script.
 *
 * @param signal - ends the run after what is under way; the next run goes on.
 * @returns the exit code: 0 when everything is in the folder, or is as it was saved; 1 when not; 2 for bad arguments.
 */
export async function runExport(
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
  const { to: folder } = options;
  const tally = new Tally();
  try {
    if (options.verify) {
      await stat(folder);
      await verify(options, tally);
    } else await save(options, environment, terminal, timing, signal, tally);
  } catch (error) {
    const end = endOf(error);
    if (end === undefined) throw error;
    terminal.stderr.write(`${end.message}\n`);
    terminal.stdout.write(tally.report(folder));
    return 1;
  }
  terminal.stdout.write(tally.report(folder));
  return tally.complete ? 0 : 1;
}
