/** Does work on what a generator yields, a few at a time. */

/**
 * Runs `work` on every value, at most `most` at the same time.
 *
 * @throws the first error of `work` or of the generator, when what was under way has ended.
 */
export async function inParallel<Value>(
  values: Iterable<Value> | AsyncIterable<Value>,
  most: number,
  work: (value: Value) => Promise<void>,
): Promise<void> {
  async function* each(): AsyncGenerator<Value> {
    yield* values;
  }
  const source = each();
  let over = false;
  const worker = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await source.next();
        if (next.done === true || over) return;
        await work(next.value);
      }
    } catch (error) {
      over = true;
      throw error;
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: most }, worker));
  const failed = workers.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
