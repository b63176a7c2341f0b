/**
 * What has to agree before a version is released: package.json, its lockfile, the template of azd, the
 * changelog and the tag.
 * The notes of a release are its section of the changelog.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Output } from '../support/output.js';

/** What the files say. */
export interface Release {
  /** Of package.json. */
  readonly version: string;
  /** Of package-lock.json: of the file, and of the package in it. */
  readonly lockedVersions: readonly string[];
  /** Of the template in azure.yaml. */
  readonly templateVersion: string;
  readonly changelog: string;
  /** As in `v0.2.0`; what is about to be tagged when left out. */
  readonly tag?: string;
}

interface Section {
  readonly version: string;
  readonly date: string | undefined;
  readonly text: string;
}

const usage = `usage: npm run release:check -- [--tag vX.Y.Z] [--notes FILE]
  --tag    the tag that is released
  --notes  where the section of the changelog is written
`;

/** The sections of a changelog, in the form of Keep a Changelog. */
export function sectionsOf(changelog: string): readonly Section[] {
  return changelog
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n');
      const [, version = heading.trim(), date] =
        /^\[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?\s*$/.exec(heading) ?? [];
      return { version, date, text: lines.join('\n').trim() };
    });
}

/** What keeps a version from being released; empty when nothing does. */
export function faultsOfRelease({
  version,
  lockedVersions,
  templateVersion,
  changelog,
  tag,
}: Release): readonly string[] {
  const faults: string[] = [];
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    faults.push(`package.json: ${version} is no version of three numbers`);
  }
  for (const locked of new Set(lockedVersions)) {
    if (locked !== version) faults.push(`package-lock.json has version ${locked}, not ${version}`);
  }
  if (templateVersion !== version) {
    faults.push(`azure.yaml has version ${templateVersion}, not ${version}`);
  }
  if (tag !== undefined && tag !== `v${version}`) {
    faults.push(`the tag is ${tag}, not v${version}`);
  }
  const [unreleased, newest] = sectionsOf(changelog);
  if (unreleased?.version !== 'Unreleased') {
    faults.push('CHANGELOG.md does not begin with the section [Unreleased]');
  } else if (unreleased.text !== '') {
    faults.push('CHANGELOG.md: what is under [Unreleased] belongs under the version');
  }
  if (newest?.version !== version) {
    faults.push(`CHANGELOG.md has no section [${version}] below [Unreleased]`);
  } else {
    if (newest.date === undefined) faults.push(`CHANGELOG.md: [${version}] has no date`);
    if (newest.text === '') faults.push(`CHANGELOG.md: [${version}] says nothing`);
  }
  return faults;
}

/** @returns the exit code: 0 when the version can be released, 1 when not, 2 for bad arguments. */
export function runReleaseCheck(
  args: readonly string[],
  root: string,
  { stdout, stderr }: Output,
): number {
  let options: { readonly tag?: string; readonly notes?: string };
  try {
    const known = { tag: { type: 'string' }, notes: { type: 'string' } } as const;
    options = parseArgs({ args: [...args], options: known }).values;
  } catch {
    stderr.write(usage);
    return 2;
  }
  const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  const lock = JSON.parse(read('package-lock.json')) as {
    readonly version: string;
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  const changelog = read('CHANGELOG.md');
  const faults = faultsOfRelease({
    version,
    lockedVersions: [lock.version, lock.packages['']?.version ?? 'none'],
    templateVersion: /template: [\w-]+@(\S+)/.exec(read('azure.yaml'))?.[1] ?? 'none',
    changelog,
    ...(options.tag !== undefined && { tag: options.tag }),
  });
  for (const fault of faults) stderr.write(`${fault}\n`);
  if (faults.length > 0) return 1;
  const notes = sectionsOf(changelog)[1]?.text ?? '';
  if (options.notes !== undefined) writeFileSync(options.notes, `${notes}\n`);
  stdout.write(`${version} can be released\n`);
  return 0;
}
