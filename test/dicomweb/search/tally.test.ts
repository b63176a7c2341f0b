/** Counting without keeping what is counted. */
import { describe, expect, it } from '@jest/globals';
import type { StudyInstanceUID } from '../../../src/dicom/uid.js';
import { Tally } from '../../../src/dicomweb/search/tally.js';

const study = (n: number) => `1.2.840.113619.2.${String(n)}` as StudyInstanceUID;

describe('a tally', () => {
  it('counts each thing once, and keeps those of some studies out of it', () => {
    const tally = new Tally();
    const count = 100_000;
    for (let n = 0; n < count; n++) {
      tally.add(study(n), `${study(n)}|1`);
      if (n % 3 === 0) tally.add(study(n), `${study(n)}|2`);
      if (n % 5 === 0) tally.add(study(n), `${study(n)}|1`);
    }
    const series = count + Math.ceil(count / 3);
    expect(tally.without([])).toEqual({ count: series, met: [] });
    expect(tally.without([study(4), study(9), study(count)])).toEqual({
      count: series - 3,
      met: [study(4), study(9)],
    });
  });
});
