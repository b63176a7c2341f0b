/**
 * ULIDs name versions: 26 characters that sort by time of making, unique across processes. Inverted,
 * they sort newest first, which is how index rows are ordered.
 */
import { randomBytes } from 'node:crypto';

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

function encodeRandom(): string {
  // 16 bytes, five bits of each: 80 random bits.
  let text = '';
  for (const byte of randomBytes(16)) text += alphabet.charAt(byte % 32);
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

let lastTime = 0;
let lastRandom = '';

/** A new ULID, greater than every earlier one of this process. */
export function newUlid(): Ulid {
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    lastRandom = encodeRandom();
  } else {
    lastRandom = increment(lastRandom);
  }
  return (encodeTime(lastTime) + lastRandom) as Ulid;
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
