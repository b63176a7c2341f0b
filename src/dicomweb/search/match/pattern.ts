/**
 * Wildcard patterns (PS3.4 §C.2.2.2.4), followed without going back: all positions that a text may have
 * reached are kept as bits, so that a pattern costs the length of the text, whatever it is made of.
 */

/** Characters of a pattern at most. */
export const mostPatternCharacters = 256;

interface Automaton {
  /** Per character of the pattern: which positions a text reaches by it. */
  readonly byCharacter: ReadonlyMap<string, Uint32Array>;
  /** Positions that any character leads to. */
  readonly byAny: Uint32Array;
  /** Positions that any character keeps. */
  readonly kept: Uint32Array;
  readonly end: number;
}

function bitOf(words: Uint32Array, position: number): boolean {
  return (((words[position >>> 5] ?? 0) >>> (position & 31)) & 1) === 1;
}

function setBit(words: Uint32Array, position: number): void {
  words[position >>> 5] = (words[position >>> 5] ?? 0) | (1 << (position & 31));
}

function automatonOf(pattern: string): Automaton {
  const characters = Array.from(pattern);
  const end = characters.filter((one) => one !== '*').length;
  const size = (end >>> 5) + 1;
  const [byAny, kept] = [new Uint32Array(size), new Uint32Array(size)];
  const byCharacter = new Map<string, Uint32Array>();
  let position = 0;
  for (const one of characters) {
    if (one === '*') setBit(kept, position);
    else if (one === '?') setBit(byAny, ++position);
    else {
      const reached = byCharacter.get(one) ?? new Uint32Array(size);
      byCharacter.set(one, reached);
      setBit(reached, ++position);
    }
  }
  for (const reached of byCharacter.values()) {
    for (const [word, bits] of byAny.entries()) reached[word] = (reached[word] ?? 0) | bits;
  }
  return { byCharacter, byAny, kept, end };
}

/** Compiles a pattern of `*`, any characters, and `?`, one: whether a whole text matches it. */
export function compilePattern(pattern: string): (text: string) => boolean {
  const { byCharacter, byAny, kept, end } = automatonOf(pattern);
  return (text) => {
    const at = new Uint32Array(kept.length);
    at[0] = 1;
    for (const character of text) {
      const reached = byCharacter.get(character) ?? byAny;
      let [carried, any] = [0, 0];
      for (let word = 0; word < at.length; word++) {
        const bits = at[word] ?? 0;
        const next = (((bits << 1) | carried) & (reached[word] ?? 0)) | (bits & (kept[word] ?? 0));
        carried = bits >>> 31;
        at[word] = next;
        any |= next;
      }
      if (any === 0) return false;
    }
    return bitOf(at, end);
  };
}
