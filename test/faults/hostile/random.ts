/** Random choices that a seed and the number of a case determine, so that any case can be had again. */
import { seededRandom } from '../../../src/storage/memory/seeded-random.js';

export interface Random {
  /** A whole number from 0 to below `end`. */
  readonly below: (end: number) => number;
  readonly pick: <T>(choices: readonly [T, ...T[]]) => T;
  /** True once in `times`. */
  readonly oneIn: (times: number) => boolean;
  readonly bytes: (length: number) => Buffer;
}

/** The choices of one case. */
export function randomOf(seed: number, index: number): Random {
  const next = seededRandom(
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35),
  );
  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
    oneIn: (times) => below(times) === 0,
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
