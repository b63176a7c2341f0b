/** Ordered work with a bounded number of steps under way. */

/**
 * Starts `work` on up to `ahead` items before their results are asked for, and yields the results
 * in order. When the consumer stops early, results that it will never see go to `discard`.
 */
export async function* readAhead<Item, Result>(
  items: AsyncIterable<Item> | Iterable<Item>,
  ahead: number,
  work: (item: Item) => Promise<Result>,
  discard: (result: Result) => void,
): AsyncGenerator<Result, void, undefined> {
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const underWay: Promise<Result>[] = [];
  let ended = false;
  try {
    for (;;) {
      while (!ended && underWay.length < ahead) {
        const next = await iterator.next();
        if (next.done === true) ended = true;
        else {
          const started = work(next.value);
          // Seen when its turn comes; until then a failure must not count as unhandled.
          started.catch(() => undefined);
          underWay.push(started);
        }
      }
      const first = underWay.shift();
      if (first === undefined) return;
      yield await first;
    }
  } finally {
    await iterator.return?.();
    for (const started of underWay) void started.then(discard, () => undefined);
  }
}

/** What stands on pages, one by one; a page is asked for when the one before it has been taken. */
export async function* flatten<Item>(
  pages: AsyncIterable<readonly Item[]>,
): AsyncGenerator<Item, void, undefined> {
  for await (const page of pages) yield* page;
}

/** Items at hand as an async iterable. */
export async function* listed<Item>(
  ...items: readonly Item[]
): AsyncGenerator<Item, void, undefined> {
  await Promise.resolve();
  yield* items;
}

/** An iteration from its first item on, which has been taken already. */
export async function* resumed<Item>(
  first: Item,
  rest: AsyncIterator<Item>,
): AsyncGenerator<Item, void, undefined> {
  try {
    yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      yield next.value;
    }
  } finally {
    await rest.return?.();
  }
}
