import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { joinedBits } from '../../../src/dicom/write/joined-bits.js';
import { collect } from '../../support/byte-streams.js';

/** Bits in order, the least significant of a byte first. */
function bitsOf(bytes: Uint8Array, count: number): string {
  return [...bytes]
    .map((byte) => byte.toString(2).padStart(8, '0').split('').reverse().join(''))
    .join('')
    .slice(0, count);
}

describe('joinedBits', () => {
  it('leaves no gap between frames, and drops what fills their last bytes', async () => {
    const some = fc
      .integer({ min: 1, max: 40 })
      .chain((bits) =>
        fc.tuple(
          fc.constant(bits),
          fc.array(
            fc.uint8Array({ minLength: Math.ceil(bits / 8), maxLength: Math.ceil(bits / 8) }),
            { minLength: 1, maxLength: 9 },
          ),
        ),
      );
    await fc.assert(
      fc.asyncProperty(some, async ([bits, frames]) => {
        async function* source() {
          for (const frame of frames) yield await Promise.resolve(frame);
        }
        const joined = await collect(joinedBits(source(), bits));
        const all = frames.map((frame) => bitsOf(frame, bits)).join('');
        expect(joined.length).toBe(Math.ceil(all.length / 8));
        expect(bitsOf(joined, joined.length * 8)).toBe(all.padEnd(joined.length * 8, '0'));
      }),
    );
  });
});
