/** Counts what became of files, and remembers why the first of them were not let in. */

/** What may become of a file, in the order of the table, in words. */
export const outcomes = {
  stored: 'stored',
  replaced: 'replaced',
  there: 'already there',
  alike: 'there, coded otherwise',
  before: 'done by an earlier run',
  gone: 'gone in the meantime',
  deleted: 'deleted',
  kept: 'deleted there, kept here',
  same: 'as it was saved',
  announced: 'announced',
  directory: 'DICOMDIR, not sent',
  other: 'not DICOM',
  conflict: 'in conflict with another',
  refused: 'refused',
  failed: 'failed',
} as const;

export type Outcome = keyof typeof outcomes;

/** What became of one file. */
export interface Result {
  readonly file: string;
  readonly outcome: Outcome;
  /** Why, when it is not in the archive. */
  readonly why?: string;
  /** Failure Reason (0008,1197), when the service gave one. */
  readonly reason?: number;
  /** Whether another attempt may do better. */
  readonly passing?: boolean;
}

/** Files that are named; there may be any number. */
const namedFiles = 20;
/** Characters of a reason. */
const whyLength = 200;
const missing: readonly Outcome[] = ['conflict', 'refused', 'failed'];

/** Whether a file with this outcome is not in the archive, and should be. */
export function isMissing(outcome: Outcome): boolean {
  return missing.includes(outcome);
}

function clip(why: string): string {
  return why.length <= whyLength ? why : `${why.slice(0, whyLength - 1)}…`;
}

export class Tally {
  readonly #counts = new Map<Outcome, number>();
  readonly #named: string[] = [];

  add({ file, outcome, why }: Result): void {
    this.#counts.set(outcome, this.count(outcome) + 1);
    if (!isMissing(outcome) || this.#named.length >= namedFiles) return;
    this.#named.push(`  ${file}: ${clip(why ?? outcomes[outcome])}`);
  }

  count(outcome: Outcome): number {
    return this.#counts.get(outcome) ?? 0;
  }

  /** Whether every DICOM file is where it belongs. */
  get complete(): boolean {
    return missing.every((outcome) => this.count(outcome) === 0);
  }

  /** The table, and below it the first files that are not in the archive. */
  report(where: string): string {
    const rows = Object.entries(outcomes)
      .map(([outcome, words]) => [words, this.count(outcome as Outcome)] as const)
      .filter(([, count]) => count > 0);
    const table = rows.map(([words, count]) => `  ${words.padEnd(24)}${String(count).padStart(9)}`);
    const unnamed =
      missing.reduce((sum, outcome) => sum + this.count(outcome), 0) - this.#named.length;
    return [
      rows.length === 0 ? `${where}: no files.` : `${where}:`,
      ...table,
      ...(this.#named.length > 0 ? ['Not in the archive:', ...this.#named] : []),
      ...(unnamed > 0 ? [`  and ${unnamed} more`] : []),
      '',
    ].join('\n');
  }
}
