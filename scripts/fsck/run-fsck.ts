/** Checks a store, mends it when asked to, and says what was found in a table. */
import { parseArgs } from 'node:util';
import { ServiceError } from '../../src/errors.js';
import { SettingError } from '../../src/host/settings.js';
import { checkStore } from '../../src/storage/archive/store-check.js';
import {
  checkPhases,
  type CheckPhase,
} from '../../src/storage/archive/store-check/check-context.js';
import type { Finding } from '../../src/storage/archive/store-check/finding.js';
import { mend } from '../../src/storage/archive/store-check/mend.js';
import { MaintenanceReports } from '../../src/storage/maintenance-reports.js';
import { startProgress, type ProgressOutput } from '../support/progress.js';
import { Findings } from './findings.js';
import { StoreNotOpened, type OpenedStore } from './open-store.js';

export interface Output {
  readonly stdout: ProgressOutput;
  readonly stderr: ProgressOutput;
}

const unitMilliseconds: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 60 * 60_000,
  d: 24 * 60 * 60_000,
};
/** An upload that is under way must never lose its blob. */
const leastAgeToMend = unitMilliseconds['h'] ?? 0;

const usage = `usage: npm run fsck [-- --repair] [-- --orphan-age AGE]
  --repair      mends what can be mended; may be used beside a running service
  --orphan-age  for how long a blob may be without its row: 90s, 30m, 24h, 2d (default 24h;
                at least 1h with --repair, for uploads may be under way)
  Checks the store that DicomStorage names; without it, the data of the local server, which must
  not be running then.
  Exit code: 0 nothing amiss, or all of it mended; 1 something is; 2 no check was made.
`;

interface Options {
  readonly repair: boolean;
  /** Milliseconds. */
  readonly orphanAge: number;
}

function readOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        repair: { type: 'boolean', default: false },
        'orphan-age': { type: 'string', default: '24h' },
      },
    });
    const [, digits = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(values['orphan-age']) ?? [];
    const orphanAge = Number(digits) * (unitMilliseconds[unit] ?? NaN);
    if (Number.isNaN(orphanAge)) return undefined;
    if (values.repair && orphanAge < leastAgeToMend) return undefined;
    return { repair: values.repair, orphanAge };
  } catch {
    return undefined;
  }
}

/** What went wrong, when that is no fault of ours. */
function explain(error: unknown): string | undefined {
  if (error instanceof StoreNotOpened || error instanceof SettingError) return error.message;
  return error instanceof ServiceError ? `The check was given up: ${error.message}` : undefined;
}

/**
 * Runs the script.
 *
 * @param open the store to be checked.
 * @returns the exit code: 0 when nothing is amiss any more, 1 when something is, 2 for bad arguments
 *   or when the store could not be read to its end.
 */
export async function runFsck(
  args: readonly string[],
  open: () => Promise<OpenedStore>,
  { stdout, stderr }: Output,
): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    stderr.write(usage);
    return 2;
  }
  try {
    const store = await open();
    try {
      const findings = await check(store, options, stderr);
      await keepReport(store, findings, stderr);
      stdout.write(findings.report(store.where, options.repair));
      return findings.left === 0 ? 0 : 1;
    } finally {
      await store.close();
    }
  } catch (error) {
    const why = explain(error);
    if (why === undefined) throw error;
    stderr.write(`${why}\n`);
    return 2;
  }
}

/** Keeps what was found for those who run the service; a store that may only be read keeps nothing. */
async function keepReport(
  { archive }: OpenedStore,
  findings: Findings,
  output: ProgressOutput,
): Promise<void> {
  try {
    await new MaintenanceReports(archive.tables).note('check', findings.counts);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    output.write(`The report of this check could not be kept: ${error.message}\n`);
  }
}

async function check(
  { archive }: OpenedStore,
  { repair, orphanAge }: Options,
  output: ProgressOutput,
): Promise<Findings> {
  const findings = new Findings();
  const progress = startProgress(output, 'fsck', checkPhases.length);
  let phase: CheckPhase = checkPhases[0];
  let label = phase as string;
  const onProgress = (now: { readonly phase: CheckPhase; readonly done: number }) => {
    if (now.phase !== phase) progress.step(label);
    phase = now.phase;
    label = `${phase}: ${now.done}`;
    progress.show(label);
  };
  for await (const finding of checkStore(archive, { orphanAge, onProgress })) {
    findings.add(finding, repair && (await mendOne(archive, finding, orphanAge)));
  }
  progress.step(label);
  progress.finish();
  return findings;
}

async function mendOne(
  archive: OpenedStore['archive'],
  finding: Finding,
  orphanAge: number,
): Promise<boolean> {
  const settle = async (sequence: number) => await archive.settle(sequence);
  return await mend(archive, finding, { orphanAge, settle });
}
