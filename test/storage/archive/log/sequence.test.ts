import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  firstSequenceOf,
  mostLogShards,
  sequenceAfter,
  sequenceStride,
  shardOfSequence,
  ticksOfSequence,
  timeOfSequence,
} from '../../../../src/storage/archive/log/sequence.js';

const moment = fc.integer({ min: 0, max: Date.UTC(2109, 0) });
const shard = fc.nat(mostLogShards - 1);

describe('a sequence', () => {
  it('names its shard and its time, and fits in a number of JavaScript until 2109', () => {
    fc.assert(
      fc.property(moment, shard, (time, at) => {
        const sequence = sequenceAfter(firstSequenceOf(time), at);
        expect(Number.isSafeInteger(sequence)).toBe(true);
        expect(shardOfSequence(sequence)).toBe(at);
        expect(timeOfSequence(sequence)).toBe(time);
      }),
    );
  });

  it('is the next of its shard after any other', () => {
    fc.assert(
      fc.property(moment, fc.nat(5000), shard, (time, more, at) => {
        const before = firstSequenceOf(time) + more;
        const after = sequenceAfter(before, at);
        expect(after).toBeGreaterThan(before);
        expect(after - before).toBeLessThanOrEqual(sequenceStride);
      }),
    );
  });

  it('has ticks that ascend, and are of its millisecond', () => {
    fc.assert(
      fc.property(moment, fc.nat(2047), (time, more) => {
        const sequence = firstSequenceOf(time) + more;
        expect(ticksOfSequence(sequence + 1)).toBeGreaterThan(ticksOfSequence(sequence));
        expect(ticksOfSequence(sequence) / 10_000n).toBe(BigInt(time));
      }),
    );
  });
});
