/** The work that one search may do: a query that no index serves ends early instead of timing out. */

/** Pages of an index, and rows looked up one by one, that one request reads at most. */
const mostPages = 25;
const mostLookups = 2000;

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

  /** Whether the search should stop at the next place where it can go on later. */
  get spent(): boolean {
    return this.#pages >= mostPages || this.#lookups >= mostLookups;
  }
}
