/**
 * Rows of an index that follow from numbers: kept as runs of numbers with the same value, whose keys are spelled
 * when they are read. A million rows take the memory of their different values.
 */

/** Numbers whose rows have the same value: from the first on, by steps, up to an end that is not among them. */
export interface Run {
  /** With what the keys of the run begin; no prefix begins another. */
  readonly prefix: string;
  readonly first: number;
  readonly step: number;
  readonly end: number;
}

/** Keys of a page, and the one that follows it. */
export interface KeyPage {
  readonly keys: readonly { readonly key: string; readonly number: number }[];
  readonly next: string | undefined;
}

function countOf({ first, step, end }: Run): number {
  return first >= end ? 0 : Math.floor((end - 1 - first) / step) + 1;
}

/** The first of `count` positions for which something holds that holds for all behind it. */
function firstWhere(count: number, holds: (position: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export class NumberedRows {
  readonly #runs: readonly Run[];
  readonly #suffixOf: (number: number) => string;

  /** @param suffixOf - what follows the prefix in the key of a number; greater numbers sort first. */
  constructor(runs: readonly Run[], suffixOf: (number: number) => string) {
    this.#runs = runs
      .filter((run) => countOf(run) > 0)
      .sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
    this.#suffixOf = suffixOf;
  }

  /** The keys from one on, up to another that is not among them. */
  page(from: string, to: string | undefined, limit: number): KeyPage {
    const keys: { readonly key: string; readonly number: number }[] = [];
    const start = firstWhere(this.#runs.length, (at) => {
      const run = this.#runs[at];
      return run !== undefined && this.#keyAt(run, countOf(run) - 1).key >= from;
    });
    for (const run of this.#runs.slice(start, start + limit + 1)) {
      const count = countOf(run);
      for (
        let at = firstWhere(count, (one) => this.#keyAt(run, one).key >= from);
        at < count;
        at++
      ) {
        const row = this.#keyAt(run, at);
        if (to !== undefined && row.key >= to) return { keys, next: undefined };
        if (keys.length === limit) return { keys, next: row.key };
        keys.push(row);
      }
    }
    return { keys, next: undefined };
  }

  #keyAt(run: Run, position: number) {
    const number = run.first + (countOf(run) - 1 - position) * run.step;
    return { key: run.prefix + this.#suffixOf(number), number };
  }
}
