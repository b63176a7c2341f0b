import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deflateRawSync } from 'node:zlib';
import {
  decodeFrameIndex,
  encodeFrameIndex,
  everyFrame,
  frameRuns,
  type FrameIndex,
} from '../../src/dicom/frames.js';
import { ServiceError } from '../../src/errors.js';

const native: FrameIndex = { kind: 'native', offset: 1000, length: 24, frames: 3, frameBits: 64 };
const fragmented: FrameIndex = {
  kind: 'encapsulated',
  offset: 500,
  fragments: [10, 20, 30, 40],
  perFrame: [1, 3],
  frames: 2,
};

const counts = fc.array(fc.nat(100_000), { maxLength: 50 });
const indexes: fc.Arbitrary<FrameIndex> = fc.oneof(
  fc.record({
    kind: fc.constant('native' as const),
    offset: fc.nat(),
    length: fc.nat(),
    frames: fc.nat(),
    frameBits: fc.nat(),
  }),
  fc.record({
    kind: fc.constant('encapsulated' as const),
    offset: fc.nat(),
    fragments: counts,
    perFrame: fc.oneof(fc.nat(5), counts),
    frames: fc.nat(50),
  }),
);

describe('everyFrame', () => {
  it('gives the runs that each frame has by itself', () => {
    fc.assert(
      fc.property(indexes, (index) => {
        const numbers = Array.from({ length: Math.min(index.frames, 50) }, (_, at) => at + 1);
        const bounded = { ...index, frames: numbers.length };
        expect([...everyFrame(bounded)]).toEqual(numbers.map((frame) => frameRuns(bounded, frame)));
      }),
    );
  });
});

describe('frameRuns', () => {
  it('walks over the fragments once, however many frames are asked for', () => {
    let read = 0;
    const count = 2000;
    const fragments = new Proxy(new Array<number>(count).fill(2), {
      get(target, key, receiver): unknown {
        if (typeof key === 'string' && /^\d+$/.test(key)) read++;
        return Reflect.get(target, key, receiver);
      },
    });
    const perFrame = new Array<number>(count).fill(1);
    const index: FrameIndex = {
      kind: 'encapsulated',
      offset: 0,
      fragments,
      perFrame,
      frames: count,
    };
    for (let frame = 1; frame <= count; frame++) {
      expect(frameRuns(index, frame)).toEqual([{ offset: frame * 10 - 2, length: 2 }]);
    }
    expect(read).toBeLessThanOrEqual(3 * count);
  });

  it('cuts native pixel data into equal runs', () => {
    expect([1, 2, 3].map((frame) => frameRuns(native, frame))).toEqual([
      [{ offset: 1000, length: 8 }],
      [{ offset: 1008, length: 8 }],
      [{ offset: 1016, length: 8 }],
    ]);
  });

  it('gives every byte that a frame of 1-bit pixels has a part in', () => {
    const bits: FrameIndex = { kind: 'native', offset: 0, length: 4, frames: 2, frameBits: 12 };
    expect(frameRuns(bits, 1)).toEqual([{ offset: 0, length: 2 }]);
    expect(frameRuns(bits, 2)).toEqual([{ offset: 1, length: 2 }]);
  });

  it('leaves item headers out of fragments', () => {
    expect(frameRuns(fragmented, 1)).toEqual([{ offset: 508, length: 10 }]);
    expect(frameRuns(fragmented, 2)).toEqual([
      { offset: 526, length: 20 },
      { offset: 554, length: 30 },
      { offset: 592, length: 40 },
    ]);
  });

  it('counts fragments of frames that have equally many', () => {
    const pairs: FrameIndex = { ...fragmented, perFrame: 2 };
    expect(frameRuns(pairs, 2)).toEqual([
      { offset: 554, length: 30 },
      { offset: 592, length: 40 },
    ]);
  });

  it.each([0, -1, 4, 1.5, Number.NaN])('refuses frame %p of 3', (frame) => {
    expect(() => frameRuns(native, frame)).toThrow(RangeError);
  });
});

describe('encodeFrameIndex', () => {
  it('is undone by decodeFrameIndex', () => {
    fc.assert(
      fc.property(indexes, (index) => {
        expect(decodeFrameIndex(encodeFrameIndex(index))).toEqual(index);
      }),
    );
  });

  it('keeps 100 000 frames of scattered lengths under 400 KiB', () => {
    const fragments = Array.from(
      { length: 100_000 },
      (_, at) => 20_000 + ((at * 7919) ** 2 % 65_521),
    );
    const index: FrameIndex = {
      kind: 'encapsulated',
      offset: 123_456,
      fragments,
      perFrame: 1,
      frames: fragments.length,
    };
    expect(encodeFrameIndex(index).length).toBeLessThan(400 * 1024);
  });
});

describe('decodeFrameIndex', () => {
  it.each([
    ['bytes that are not deflated', Buffer.from('{"kind":"native"}')],
    ['a kind that does not exist', deflateRawSync('{"kind":"other","offset":1,"frames":1}')],
    [
      'a negative offset',
      deflateRawSync('{"kind":"native","offset":-1,"length":1,"frames":1,"frameBits":8}'),
    ],
    ['null', deflateRawSync('null')],
  ])('refuses %s', (_, bytes) => {
    const error = (): unknown => {
      try {
        return decodeFrameIndex(bytes);
      } catch (thrown) {
        return thrown;
      }
    };
    expect(error()).toBeInstanceOf(ServiceError);
    expect(error()).toMatchObject({ code: 'storage-corrupt' });
  });
});
