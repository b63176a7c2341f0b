/** Waiting for parallel work to its very end, so that what is undone after a failure stays undone. */

/**
 * Like `Promise.all`, but settles only after every part has: when it rejects, with the first error
 * in order, nothing is still on its way.
 */
export async function allOf(parts: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  const work = parts.filter((part) => part !== undefined);
  for (const result of await Promise.allSettled(work)) {
    if (result.status === 'rejected') throw result.reason;
  }
}
