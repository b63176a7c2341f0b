/** JSON arrays that are written while their items are made. */

/** Characters that are worth the steps that a chunk goes through. */
const leastChunk = 64 * 1024;

/** Writes texts of JSON values as one array, in chunks of 64 Ki characters and more, but for the last. */
export async function* jsonArray(
  texts: AsyncIterable<string>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let written = '[';
  let isFirst = true;
  for await (const text of texts) {
    written += isFirst ? text : `,${text}`;
    isFirst = false;
    if (written.length < leastChunk) continue;
    yield Buffer.from(written);
    written = '';
  }
  yield Buffer.from(`${written}]`);
}
