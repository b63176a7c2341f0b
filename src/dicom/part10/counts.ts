/** Counts what a data set is made of against the limits of the service. */
import { limitExceeded, type Part10Limits } from './limits.js';
import type { Tag } from '../tag.js';

const backslash = 0x5c;

/** The counts of one data set, its items included. */
export class Counts {
  elements = 0;
  fragments = 0;
  private values = 0;
  private readonly limits: Part10Limits;

  constructor(limits: Part10Limits) {
    this.limits = limits;
  }

  /**
   * Counts an element or a fragment.
   *
   * @throws ServiceError when there are more than the limit.
   */
  add(counted: 'elements' | 'fragments', offset: number, tag: Tag): void {
    this[counted] += 1;
    if (this[counted] > this.limits[counted]) {
      throw limitExceeded(counted, this.limits, { offset, tag });
    }
  }

  /**
   * Counts values of an element.
   *
   * @throws ServiceError when all elements together have more than the limit.
   */
  addValues(tag: Tag, more: number): void {
    this.values += more;
    if (this.values > this.limits.values) throw limitExceeded('values', this.limits, { tag });
  }

  /** Counts the values of text by the backslashes between them (PS3.5 §6.4). */
  addText(tag: Tag, bytes: Buffer): void {
    let separators = 0;
    for (let at = bytes.indexOf(backslash); at >= 0; at = bytes.indexOf(backslash, at + 1)) {
      separators += 1;
    }
    this.addValues(tag, separators);
  }
}
