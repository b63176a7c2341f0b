import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { frameRuns, type FrameIndex } from '../../../src/dicom/frames.js';
import { alignBits, alignFrame } from '../../../src/dicom/pixel/align-frame.js';

/** Bits, the least significant of a byte first. */
function bitsOf(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, at) => ((bytes[at >> 3] ?? 0) >> (at & 7)) & 1);
}

describe('alignFrame', () => {
  it('brings the first pixel of any frame to the first bit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 240, maxLength: 240 }),
        (frameBits, frames, random) => {
          const bits = random.slice(0, frameBits * frames);
          const file = new Uint8Array(Math.ceil(bits.length / 8));
          bits.forEach((bit, at) => (file[at >> 3] = (file[at >> 3] ?? 0) | (bit << (at & 7))));
          const index: FrameIndex = {
            kind: 'native',
            offset: 0,
            length: file.length,
            frames,
            frameBits,
          };
          for (let frame = 1; frame <= frames; frame++) {
            const [{ offset, length } = { offset: 0, length: 0 }] = frameRuns(index, frame);
            const payload = alignFrame(file.subarray(offset, offset + length), index, frame);
            expect(bitsOf(payload, frameBits)).toEqual(
              bits.slice(frameBits * (frame - 1), frameBits * frame),
            );
            expect(bitsOf(payload, payload.length * 8).slice(frameBits)).not.toContain(1);
            expect(payload).toHaveLength(Math.ceil(frameBits / 8));
          }
        },
      ),
    );
  });

  it('does the same to a stream, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        fc.nat(7),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(7),
        async (bytes, shift, size, spare) => {
          const bits = bytes.length * 8 - shift - spare;
          fc.pre(bits > 0);
          const pieces = (async function* () {
            for (let at = 0; at < bytes.length; at += size) {
              yield await Promise.resolve(bytes.subarray(at, at + size));
            }
          })();
          const made: Uint8Array[] = [];
          for await (const piece of alignBits(pieces, shift, bits)) made.push(piece);
          const aligned = Buffer.concat(made);
          expect(aligned).toHaveLength(Math.ceil(bits / 8));
          const wanted = bitsOf(bytes, bytes.length * 8).slice(shift, shift + bits);
          expect(bitsOf(aligned, bits)).toEqual(wanted);
          expect(bitsOf(aligned, aligned.length * 8).slice(bits)).not.toContain(1);
        },
      ),
    );
  });

  it('hands other frames on as they are', () => {
    const bytes = Uint8Array.of(1, 2);
    const native = { kind: 'native', offset: 0, length: 4, frames: 2, frameBits: 16 } as const;
    const fragments = {
      kind: 'encapsulated',
      offset: 0,
      fragments: [2, 2],
      perFrame: 1,
      frames: 2,
    };
    expect(alignFrame(bytes, native, 2)).toBe(bytes);
    expect(alignFrame(bytes, fragments as FrameIndex, 2)).toBe(bytes);
  });
});
