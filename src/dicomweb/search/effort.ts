/** The work that one search may do: a query that no index serves ends early instead of timing out. */

/** Pages and rows looked up one by one, that one request reads in vain at most. */
const mostPages = 25;
const mostLookups = 2000;

/**
 * What a match may cost: its study, its series and itself. Matches that are passed over for an
 * `offset` count too, so that only what is read in vain ends a search.
 */
const perMatch = 3;

export class Effort {
  #pages = 0;
  #lookups = 0;

  /** A page of an index or of the catalog is read. */
  readonly onPage = (): void => {
    this.#pages++;
  };

  /** Rows are looked up. */
  onLookups(rows: number): void {
    this.#lookups += rows;
  }

  /** A match is found. */
  onMatch(): void {
    this.#pages -= perMatch;
    this.#lookups -= perMatch;
  }

  /** Whether the search should stop at the next place where it can go on later. */
  get spent(): boolean {
    return this.#pages >= mostPages || this.#lookups >= mostLookups;
  }
}
