/**
 * Names of files within an archive as a file-set can have them (PS3.10 §8.2): components of up to
 * eight capital letters, digits and underscores.
 */
import type { InstanceUids } from '../../../dicom/uid.js';

const leastDigits = 5;
const componentCharacters = 8;

/** `IMG00001`; a number with more digits takes the room of the letters. */
function component(letters: string, number: number): string {
  const digits = String(number).padStart(leastDigits, '0');
  return letters.slice(0, Math.max(1, componentCharacters - digits.length)) + digits;
}

/**
 * Names instances that come series by series: `DICOM/STU00001/SER00002/IMG00003`. The same instances
 * in the same order get the same names.
 */
export class FileIds {
  #series: InstanceUids['series'] | undefined;
  #seriesNumber = 0;
  #number = 0;

  /** The name of the next instance. */
  next({ series }: Pick<InstanceUids, 'series'>): string {
    if (series !== this.#series) {
      this.#series = series;
      this.#seriesNumber += 1;
      this.#number = 0;
    }
    this.#number += 1;
    const folder = `DICOM/${component('STU', 1)}/${component('SER', this.#seriesNumber)}`;
    return `${folder}/${component('IMG', this.#number)}`;
  }
}
