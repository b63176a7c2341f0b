import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { huffmanCode } from '../../../../src/dicom/pixel/encoders/huffman-code.js';

/** The codes in use, as text of zeros and ones. */
function codesOf(counts: readonly number[]): string[] {
  const { codes, lengths } = huffmanCode(counts);
  return lengths.flatMap((length, symbol) =>
    length === 0 ? [] : [(codes[symbol] ?? 0).toString(2).padStart(length, '0')],
  );
}

describe('huffmanCode', () => {
  it('gives frequent symbols short codes', () => {
    expect(huffmanCode([1, 100, 10, 0])).toMatchObject({
      symbols: [1, 2, 0],
      codes: [0b110, 0b0, 0b10, 0],
      lengths: [3, 1, 2, 0],
    });
  });

  it('gives a single symbol one bit, which is not one', () => {
    expect(codesOf([0, 0, 5])).toEqual(['0']);
  });

  it('needs no code of more than 16 bits, however unlike the counts are', () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 17) {
      fibonacci.push((fibonacci.at(-1) ?? 0) + (fibonacci.at(-2) ?? 0));
    }
    const { lengths, lengthCounts } = huffmanCode(fibonacci);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(16);
    expect(lengthCounts).toHaveLength(16);
  });

  it('makes codes of which none begins another and none is all ones', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.oneof(fc.nat(3), fc.nat(1e9)), { minLength: 1, maxLength: 17 })
          .filter((counts) => counts.some((count) => count > 0)),
        (counts) => {
          const codes = codesOf(counts);
          expect(codes).toHaveLength(counts.filter((count) => count > 0).length);
          for (const [at, code] of codes.entries()) {
            expect(code).toContain('0');
            expect(code.length).toBeLessThanOrEqual(16);
            expect(codes.filter((other, index) => index !== at && other.startsWith(code))).toEqual(
              [],
            );
          }
        },
      ),
    );
  });
});
