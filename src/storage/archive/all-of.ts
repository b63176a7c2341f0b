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
