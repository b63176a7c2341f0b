/** The work that one search may do: a query that no index serves ends early instead of timing out. */

/** What one request does in vain at most, and what each of its matches may cost beyond that. */
const pages = { most: 25, perMatch: 1 / 40 };
const entries = { most: 100, perMatch: 2 };
const lookups = { most: 2000, perMatch: 2 };

/** Counts what is read. Matches that an `offset` passes over count as well, so it has no ceiling. */
export class Effort {
  #pages = 0;
  #entries = 0;
  #lookups = 0;

  /** A page of an index, of the study list, or a further one of a series is read. */
  readonly onPage = (): void => {
    this.#pages++;
  };

  /** The rows of a study, or the first page of those of a series, are read. */
  onEntry(): void {
    this.#entries++;
  }

  /** Rows are looked up, many at once. */
  onLookups(rows: number): void {
    this.#lookups += rows;
  }

  onMatch(): void {
    this.#pages -= pages.perMatch;
    this.#entries -= entries.perMatch;
    this.#lookups -= lookups.perMatch;
  }

  /** Whether the search should stop at the next place where it can go on later. */
  get spent(): boolean {
    return (
      this.#pages >= pages.most || this.#entries >= entries.most || this.#lookups >= lookups.most
    );
  }
}
