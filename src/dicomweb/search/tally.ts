/**
 * Counts what a walk over keys meets, each thing once, without keeping the keys: by a hash of 64 bits, 16 bytes a
 * row. That two of a million things have the same hash happens once in thirty million counts.
 */
import type { StudyInstanceUID } from '../../dicom/uid.js';

/** Two halves of a hash. */
const words = 2;

class Hashes {
  #words = new Uint32Array(1024 * words);
  #count = 0;

  add(text: string): void {
    const at = this.#count++ * words;
    if (at === this.#words.length) {
      const grown = new Uint32Array(at * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    hashInto(text, this.#words, at);
  }

  get values(): BigUint64Array {
    return new BigUint64Array(this.#words.buffer, 0, this.#count);
  }
}

/** Two multiplicative hashes of 32 bits, mixed at the end (the finaliser of MurmurHash3). */
function hashInto(text: string, target: Uint32Array, at: number): void {
  let [first, second] = [0x9e3779b9, 0x7f4a7c15];
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    first = Math.imul(first ^ code, 0x85ebca6b);
    second = Math.imul(second ^ code, 0xc2b2ae35);
    first ^= first >>> 15;
    second ^= second >>> 13;
  }
  target[at] = mixed(first ^ Math.imul(second, 0x27d4eb2f));
  target[at + 1] = mixed(second);
}

function mixed(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

function hashOf(text: string): bigint {
  const hashes = new Hashes();
  hashes.add(text);
  return hashes.values[0] ?? 0n;
}

export class Tally {
  readonly #studies = new Hashes();
  readonly #things = new Hashes();

  /** A thing of a study was met; once more, if it was met before. */
  add(study: StudyInstanceUID, thing: string): void {
    this.#studies.add(study);
    this.#things.add(thing);
  }

  /** How many things were met besides those of some studies, and of which of these studies any was. */
  without(studies: Iterable<StudyInstanceUID>): {
    readonly count: number;
    readonly met: readonly StudyInstanceUID[];
  } {
    const doubtful = new Map([...studies].map((study) => [hashOf(study), study]));
    const met = new Set<StudyInstanceUID>();
    const ofStudies = this.#studies.values;
    const sure = this.#things.values.filter((_, row) => {
      const study = doubtful.get(ofStudies[row] ?? 0n);
      if (study !== undefined) met.add(study);
      return study === undefined;
    });
    return { count: distinct(sure), met: [...met] };
  }
}

/** How many different numbers there are; puts them in order. */
function distinct(numbers: BigUint64Array): number {
  numbers.sort();
  let count = 0;
  let last: bigint | undefined;
  for (const number of numbers) {
    if (number !== last) count++;
    last = number;
  }
  return count;
}
