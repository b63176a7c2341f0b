import { describe, expect, it } from '@jest/globals';
import { ByteCutter } from '../../../../src/dicomweb/retrieve/bulkdata/byte-cutter.js';
import { chunked } from '../../../support/byte-streams.js';
import { countedTurns } from '../../../support/counted-turns.js';

describe('ByteCutter', () => {
  it('lets others have their turn between pieces of bytes that are there', async () => {
    const turns = await countedTurns(async () => {
      const cutter = new ByteCutter(chunked(Buffer.alloc(8000, 1)), 0);
      for (let at = 0; at < 1000; at++) await cutter.read({ offset: at * 8, length: 8 });
      await cutter.close();
    });
    expect(turns).toBeGreaterThan(50);
  });
});
