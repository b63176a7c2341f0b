/**
 * Known holes in dependencies: none passes but those of a list, each until a day, and nobody is told that
 * there are none when nobody could look.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Output } from '../support/output.js';

/** A hole that is let pass for a while. */
export interface Allowed {
  /** As in `GHSA-xxxx-xxxx-xxxx`. */
  readonly advisory: string;
  /** Why it does no harm here. */
  readonly reason: string;
  /** The last day on which it passes, as in `2027-01-31`. */
  readonly until: string;
}

interface Advisory {
  readonly id: string;
  readonly package: string;
  readonly severity: string;
  readonly title: string;
}

/** From here on a hole is one. */
const severities: readonly string[] = ['moderate', 'high', 'critical'];

/** What `npm audit` says, as JSON; it says so with an exit code of 1, too. */
export function npmAudit(): string {
  return spawnSync('npm', ['audit', '--omit=dev', '--json'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  }).stdout;
}

/** The advisories of a report; undefined when it is no report. */
function advisoriesIn(report: string): readonly Advisory[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(report);
  } catch {
    return undefined;
  }
  const { auditReportVersion, vulnerabilities } = parsed as {
    readonly auditReportVersion?: number;
    readonly vulnerabilities?: Readonly<Record<string, { readonly via: readonly unknown[] }>>;
  };
  if (auditReportVersion !== 2 || vulnerabilities === undefined) return undefined;
  const found = Object.values(vulnerabilities)
    .flatMap(({ via }) => via)
    // A text names another package of the report, through which the hole comes.
    .filter(
      (one): one is { url: string; name: string; severity: string; title: string } =>
        typeof one === 'object' && one !== null && 'url' in one,
    )
    .filter(({ severity }) => severities.includes(severity))
    .map(({ url, name, severity, title }) => ({
      id: url.split('/').at(-1) ?? url,
      package: name,
      severity,
      title,
    }));
  return [...new Map(found.map((one) => [`${one.id} ${one.package}`, one])).values()];
}

function faultOf({ advisory, reason, until }: Allowed, today: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(until) || Number.isNaN(Date.parse(until))) {
    return `${advisory} is allowed until ${until}, which is no day`;
  }
  if (reason.trim() === '') return `${advisory} is allowed without a reason`;
  return until < today ? `${advisory} was allowed until ${until}` : undefined;
}

/**
 * Judges a report of `npm audit`.
 *
 * @returns the exit code: 0 when there is no hole that is not allowed, 1 when there is one or an entry of
 *   the list is stale, 3 when nobody could look.
 */
export function runAudit(
  report: string,
  allowedFile: string,
  now: Date,
  { stdout, stderr }: Output,
): number {
  const allowed = JSON.parse(readFileSync(allowedFile, 'utf8')) as readonly Allowed[];
  const today = now.toISOString().slice(0, 10);
  const stale = allowed.map((one) => faultOf(one, today)).filter((fault) => fault !== undefined);
  for (const fault of stale) stderr.write(`${fault}\n`);
  const advisories = advisoriesIn(report);
  if (advisories === undefined) {
    stderr.write(
      'NOT AUDITED: the registry gave no report, so that nobody knows of holes in dependencies.\n',
    );
    return stale.length > 0 ? 1 : 3;
  }
  const passes = ({ id }: Advisory) => allowed.some(({ advisory }) => advisory === id);
  for (const one of advisories) {
    const told = `${one.package}: ${one.severity}, ${one.title} (${one.id})`;
    if (passes(one)) stdout.write(`allowed: ${told}\n`);
    else stderr.write(`${told}\n`);
  }
  const bad = advisories.filter((one) => !passes(one));
  if (bad.length > 0 || stale.length > 0) return 1;
  stdout.write(`audited: no hole but ${advisories.length} that are allowed\n`);
  return 0;
}
