/** Counts findings by their kind and remembers where the first of each are. */
import {
  findingKinds,
  type Finding,
  type FindingKind,
} from '../../src/storage/archive/store-check/finding.js';
import type { MaintenanceFinding } from '../../src/storage/maintenance-reports.js';

/** Places that are named per kind; a store may have any number of findings. */
const namedPlaces = 10;

interface Row {
  found: number;
  mended: number;
  /** Of those that are left. */
  readonly places: string[];
}

export class Findings {
  readonly #rows = new Map<FindingKind, Row>();

  add({ kind, where, detail }: Finding, isMended: boolean): void {
    const row = this.#rows.get(kind) ?? { found: 0, mended: 0, places: [] };
    this.#rows.set(kind, row);
    row.found += 1;
    if (isMended) row.mended += 1;
    else if (row.places.length < namedPlaces) {
      row.places.push(detail === '' ? where : `${where}: ${detail}`);
    }
  }

  /** How many of each kind. */
  get counts(): readonly MaintenanceFinding[] {
    return [...this.#rows].map(([kind, { found, mended }]) => ({ kind, found, mended }));
  }

  /** How many are not mended. */
  get left(): number {
    return [...this.#rows.values()].reduce((sum, { found, mended }) => sum + found - mended, 0);
  }

  /**
   * The findings as a table of kinds, with the first places of each.
   *
   * @param repair whether mending was asked for.
   */
  report(store: string, repair: boolean): string {
    if (this.#rows.size === 0) return `${store}: nothing amiss.\n`;
    const lines = [`${store}:`, line('', 'found', 'mended', '')];
    const hints: string[] = [];
    // In the order of the table of kinds.
    for (const [name, { description, mendable }] of Object.entries(findingKinds)) {
      const row = this.#rows.get(name as FindingKind);
      if (row === undefined) continue;
      const note = mendable ? description : `${description} (cannot be mended)`;
      lines.push(line(name, String(row.found), String(row.mended), note));
      const left = row.found - row.mended;
      if (left === 0) continue;
      hints.push('', `${name}:`, ...row.places.map((place) => `  ${place}`));
      if (left > row.places.length) hints.push(`  and ${left - row.places.length} more`);
      if (mendable && !repair && hints[0] !== mendingHint) hints.unshift(mendingHint);
    }
    return `${[...lines, ...hints].join('\n')}\n`;
  }
}

const mendingHint = 'Run it with --repair to mend what can be mended.';

function line(kind: string, found: string, mended: string, description: string): string {
  return `  ${kind.padEnd(20)} ${found.padStart(7)} ${mended.padStart(7)}  ${description}`.trimEnd();
}
