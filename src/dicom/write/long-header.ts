/** Reads a header that may not be at hand whole, while a stored file streams past. */
import { longestHeader, readHeader, type ElementHeader, type Encoding } from '../part10/header.js';
import type { ByteSource } from './byte-source.js';

/**
 * The header at the position of `source`, which stays where it is: for when the shortest form does not hold it.
 *
 * @returns `undefined` when the stream ends within it.
 */
export async function longHeader(
  source: ByteSource,
  encoding: Encoding,
): Promise<ElementHeader | undefined> {
  await source.fill(longestHeader);
  return readHeader(source.peek(longestHeader), encoding);
}
