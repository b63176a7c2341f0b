/**
 * ULIDs name versions: 26 characters that sort by time of making, unique across processes. Inverted,
 * they sort newest first, which is how index rows are ordered.
 */
import { systemRuntime } from '../runtime.js';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

declare const brand: unique symbol;
export type Ulid = string & { readonly [brand]: 'Ulid' };

function encodeTime(milliseconds: number): string {
  let rest = milliseconds;
  let text = '';
  for (let index = 0; index < 10; index++) {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function increment(text: string): string {
  for (let index = text.length - 1; index >= 0; index--) {
    const digit = alphabet.indexOf(text.charAt(index));
    if (digit < 31) {
      return (
        text.slice(0, index) + alphabet.charAt(digit + 1) + '0'.repeat(text.length - index - 1)
      );
    }
  }
  return '0'.repeat(text.length);
}

/**
 * Makes what makes ULIDs, each greater than every earlier one of the same maker.
 *
 * @param now - milliseconds since 1970.
 * @param random - a number in [0, 1); 16 of them make a ULID unique.
 */
export function ulidMaker(now: () => number, random: () => number): () => Ulid {
  let lastTime = 0;
  let lastRandom = '';
  return () => {
    const time = Math.floor(now());
    if (time > lastTime) {
      lastTime = time;
      lastRandom = '';
      for (let digit = 0; digit < 16; digit++) {
        lastRandom += alphabet.charAt(Math.floor(random() * 32));
      }
    } else {
      lastRandom = increment(lastRandom);
    }
    return (encodeTime(lastTime) + lastRandom) as Ulid;
  };
}

/** A new ULID by the clock of this process, greater than every earlier one. */
export const newUlid = ulidMaker(() => Date.now(), systemRuntime.random);

/** The first ULID of a moment. @param milliseconds - since 1970. */
export function ulidOfTime(milliseconds: number): Ulid {
  return (encodeTime(milliseconds) + '0'.repeat(16)) as Ulid;
}

/** Mirrors each digit, so that ascending order of the result is descending order of the input. */
export function invertUlid(ulid: Ulid): string {
  let text = '';
  for (const digit of ulid) text += alphabet.charAt(31 - alphabet.indexOf(digit));
  return text;
}

/** When a ULID was made, in milliseconds since 1970. */
export function timeOf(ulid: Ulid): number {
  let time = 0;
  for (let index = 0; index < 10; index++) time = time * 32 + alphabet.indexOf(ulid.charAt(index));
  return time;
}
