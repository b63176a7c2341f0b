import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ByteCutter } from '../../../../src/dicomweb/retrieve/bulkdata/byte-cutter.js';
import { chunked } from '../../../support/byte-streams.js';

describe('ByteCutter', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('lets others have their turn between pieces of bytes that are there', async () => {
    let now = performance.now();
    // Each look at the clock takes a millisecond.
    jest.spyOn(performance, 'now').mockImplementation(() => (now += 1));
    let [turns, done] = [0, false];
    const count = () => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    const cutter = new ByteCutter(chunked(Buffer.alloc(8000, 1)), 0);
    for (let at = 0; at < 1000; at++) await cutter.read({ offset: at * 8, length: 8 });
    done = true;
    await cutter.close();
    expect(turns).toBeGreaterThan(50);
  });
});
