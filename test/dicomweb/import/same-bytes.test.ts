import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sameBytes } from '../../../src/dicomweb/import/same-bytes.js';

async function* cut(bytes: Uint8Array, sizes: readonly number[], onEnd?: () => void) {
  let offset = 0;
  try {
    for (const size of sizes) {
      yield bytes.subarray(offset, offset + size);
      offset += size;
      await Promise.resolve();
    }
    yield bytes.subarray(offset);
  } finally {
    onEnd?.();
  }
}

const sizes = fc.array(fc.nat({ max: 9 }), { maxLength: 8 });

describe('sameBytes', () => {
  it('knows the same bytes however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 40 }),
        sizes,
        sizes,
        async (bytes, one, other) => {
          expect(await sameBytes(cut(bytes, one), cut(bytes, other))).toBe(true);
        },
      ),
    );
  });

  it('knows other bytes, and other lengths', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 12 }),
        fc.uint8Array({ maxLength: 12 }),
        sizes,
        async (left, right, one) => {
          const same = Buffer.from(left).equals(right);
          expect(await sameBytes(cut(left, one), cut(right, []))).toBe(same);
        },
      ),
    );
  });

  it('closes both streams at the first difference', async () => {
    const closed: string[] = [];
    const left = cut(Buffer.from('abcdef'), [1, 1, 1], () => closed.push('left'));
    const right = cut(Buffer.from('axcdef'), [2, 1], () => closed.push('right'));
    expect(await sameBytes(left, right)).toBe(false);
    expect(closed).toEqual(['left', 'right']);
  });
});
