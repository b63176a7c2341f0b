/** The whole search against a scan of all data sets; `npm run search:model` tries more cases. */
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { isNightly } from '../../support/nightly.js';
import { checkCase } from './model/check-case.js';
import { randomCase } from './model/random-archive.js';

describe('the search of a random archive', () => {
  it('finds what a scan of all data sets finds, whole, page by page, and under changes', async () => {
    await fc.assert(fc.asyncProperty(randomCase, checkCase), { numRuns: isNightly ? 300 : 120 });
  }, 180_000);
});
