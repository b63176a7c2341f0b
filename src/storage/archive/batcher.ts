/**
 * Group commit: whatever is handed in while a flush is on its way goes out together with the next
 * one. One batcher serialises the work on one thing.
 */

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatcherOptions<Item, Result> {
  /**
   * Handles a batch; answers one result per item, in order, those that it has taken along behind the others.
   *
   * @param join - takes what has come in meanwhile and fits.
   */
  readonly flush: (
    batch: readonly Item[],
    join: () => readonly Item[],
  ) => Promise<readonly Result[]>;
  /** Whether an item may join the batch; the first item always does. */
  readonly fits: (batch: readonly Item[], item: Item) => boolean;
}

export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #running: Promise<void> | undefined;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
  }

  /** Whether nothing is waiting or on its way. */
  get idle(): boolean {
    return this.#running === undefined;
  }

  /** Joins the next batch; settles with the item's own result, or with the error of its flush. */
  async add(item: Item): Promise<Result> {
    return await new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    // Lets everything handed in at the same moment join the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#flushNext();
    this.#running = undefined;
  }

  async #flushNext(): Promise<void> {
    const batch = this.#take([]);
    const join = () => {
      const more = this.#take(batch);
      batch.push(...more);
      return more.map(({ item }) => item);
    };
    try {
      const first = batch.map(({ item }) => item);
      const results = await this.#options.flush(first, join);
      batch.forEach((waiting, index) => {
        const result = results[index];
        if (result === undefined)
          waiting.reject(new RangeError('a flush answered too few results'));
        else waiting.resolve(result);
      });
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    }
  }

  /** Takes from the front of the line what fits into a batch beside what it has. */
  #take(batch: readonly Waiting<Item, Result>[]): Waiting<Item, Result>[] {
    const items = batch.map(({ item }) => item);
    let taken = 0;
    for (const { item } of this.#waiting) {
      if (items.length > 0 && !this.#options.fits(items, item)) break;
      items.push(item);
      taken += 1;
    }
    return this.#waiting.splice(0, taken);
  }
}
