import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compilePattern } from '../../../../src/dicomweb/search/match/pattern.js';

/** What a pattern means, followed in every way that there is. */
function meets([first, ...pattern]: readonly string[], text: readonly string[]): boolean {
  if (first === undefined) return text.length === 0;
  if (first === '*') {
    return meets(pattern, text) || (text.length > 0 && meets([first, ...pattern], text.slice(1)));
  }
  return text.length > 0 && (first === '?' || first === text[0]) && meets(pattern, text.slice(1));
}

const characters = fc.constantFrom('a', 'b', '😀');
const texts = fc.array(characters, { maxLength: 9 });
const patterns = fc.array(fc.oneof(characters, fc.constantFrom('*', '?')), { maxLength: 9 });

describe('compilePattern', () => {
  it('matches what its definition does, whole characters at a time', () => {
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(compilePattern(pattern.join(''))(text.join(''))).toBe(meets(pattern, text));
      }),
      { numRuns: 2000 },
    );
  });

  it('follows patterns of several words of bits', () => {
    for (const length of [31, 32, 33, 63, 64, 65, 255]) {
      const text = 'ab'.repeat(length).slice(0, length);
      expect(compilePattern(`*${text}*`)(`b${text}a`)).toBe(true);
      expect(compilePattern(text)(text)).toBe(true);
      expect(compilePattern(text)(`${text}a`)).toBe(false);
      expect(compilePattern('?'.repeat(length))(text)).toBe(true);
      expect(compilePattern('?'.repeat(length))(text.slice(1))).toBe(false);
      expect(compilePattern(`${'*a'.repeat(length)}c`)('a'.repeat(10_000))).toBe(false);
    }
  });
});
