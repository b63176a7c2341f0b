/** Waiting for parallel work to its very end, so that what is undone after a failure stays undone. */

/**
 * Like `Promise.all`, but settles only after every part has: when it rejects, with the first error
 * in order, nothing is still on its way.
 */
export async function allOf<const Parts extends readonly unknown[]>(
  parts: Parts,
): Promise<{ -readonly [At in keyof Parts]: Awaited<Parts[At]> }> {
  await Promise.allSettled(parts);
  return await Promise.all(parts);
}

/** Does `act` to all items, to so many at a time; settles as `allOf` does. */
export async function allOfAtATime<Item>(
  most: number,
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const work = async () => {
    for (const item of left) await act(item);
  };
  await allOf(Array.from({ length: Math.min(most, items.length) }, work));
}
