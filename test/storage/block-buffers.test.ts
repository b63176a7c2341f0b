import { describe, expect, it } from '@jest/globals';
import { blockBytes, BlockBuffers } from '../../src/storage/azure/block-buffers.js';

describe('BlockBuffers', () => {
  it('gives a small body a small buffer, which grows with what is in it up to a block', () => {
    const buffers = new BlockBuffers();
    let buffer = buffers.take(1);
    expect(buffer.length).toBeLessThanOrEqual(256 * 1024);
    buffer.set([1, 2, 3]);
    while (buffer.length < blockBytes) {
      const before = buffer.length;
      buffer = buffers.grow(buffer);
      expect(buffer.length).toBeGreaterThan(before);
    }
    expect(buffer).toHaveLength(blockBytes);
    expect([...buffer.subarray(0, 3)]).toEqual([1, 2, 3]);
    expect(() => buffers.grow(buffer)).toThrow(RangeError);
  });

  it('gives out again what it was given back, of the size asked for', () => {
    const buffers = new BlockBuffers();
    const [small, large] = [buffers.take(1), buffers.take(blockBytes)];
    for (const buffer of [small, large]) buffers.give(buffer);
    expect(buffers.take(blockBytes)).toBe(large);
    expect(buffers.take(1)).toBe(small);
    expect(buffers.take(1)).not.toBe(small);
  });

  it('keeps no more than the blocks of a large upload', () => {
    const buffers = new BlockBuffers();
    const all = Array.from({ length: 6 }, () => buffers.take(blockBytes));
    for (const buffer of all) buffers.give(buffer);
    const again = Array.from({ length: 6 }, () => buffers.take(blockBytes));
    expect(again.filter((buffer) => all.includes(buffer))).toHaveLength(4);
  });
});
