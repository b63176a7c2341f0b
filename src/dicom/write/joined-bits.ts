/** Puts frames of single bits one after the other where they do not fill whole bytes (PS3.5 §8.1.1). */

/**
 * The bits of all frames without a gap, the first in the least significant bit of a byte; the last byte
 * is filled with zeros.
 *
 * @param frames each from a byte boundary on.
 * @param bits of one frame.
 */
export async function* joinedBits(
  frames: AsyncIterable<Uint8Array>,
  bits: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  /** Bits that wait for the rest of their byte, and how many they are. */
  let waiting = 0;
  let count = 0;
  for await (const frame of frames) {
    const bytes = new Uint8Array(Math.floor((count + bits) / 8));
    for (let at = 0; at * 8 < bits; at++) {
      const fresh = Math.min(8, bits - at * 8);
      waiting |= ((frame[at] ?? 0) & (2 ** fresh - 1)) << count;
      count += fresh;
      if (count < 8) continue;
      bytes[at] = waiting;
      waiting >>= 8;
      count -= 8;
    }
    yield bytes;
  }
  if (count > 0) yield Uint8Array.of(waiting);
}
