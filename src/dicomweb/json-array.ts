/** JSON arrays that are written while their items are made. */

/** Writes texts of JSON values as one array, a chunk per value. */
export async function* jsonArray(
  texts: AsyncIterable<string>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let lead = '[';
  for await (const text of texts) {
    yield Buffer.from(lead + text);
    lead = ',';
  }
  yield Buffer.from(lead === '[' ? '[]' : ']');
}
