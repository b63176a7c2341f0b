import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeFrame } from '../../../src/dicom/pixel/decode-frame.js';
import { encodableSyntaxes } from '../../../src/dicom/pixel/codecs.js';
import { encodeFrame } from '../../../src/dicom/pixel/encode-frame.js';
import { canEncode } from '../../../src/dicom/pixel/transcodable.js';
import { defaultPixelLimits } from '../../../src/dicom/pixel/pixel-limits.js';
import { syntaxes } from '../../support/part10-builder.js';
import {
  anyFrame,
  frameOf,
  picture,
  pixelsOf,
  valuesOf,
} from '../../support/dicom/pixel-frames.js';

const lossless = encodableSyntaxes.filter((uid) => uid !== syntaxes.jpegBaseline);

describe.each(lossless)('encodeFrame to %s', (uid) => {
  it('makes what decodeFrame takes back without a change, or says that it cannot', async () => {
    await fc.assert(
      fc.asyncProperty(anyFrame, async (frame) => {
        if (!canEncode(frame.pixels, uid)) {
          // Only this syntax has components that are joined, or not encoded at all.
          expect([uid, frame.pixels.samplesPerPixel]).toEqual(['1.2.840.10008.1.2.4.202', 3]);
          await expect(encodeFrame(frame, uid)).rejects.toThrow('cannot be encoded');
          return;
        }
        const { bytes, pixels } = await encodeFrame(frame, uid);
        const decoded = await decodeFrame(bytes, pixels, uid, defaultPixelLimits);
        expect(valuesOf(decoded)).toEqual(valuesOf(frame));
        expect(decoded.pixels.photometricInterpretation).toBe(
          frame.pixels.photometricInterpretation,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('keeps an overlay in the spare bits', async () => {
    const pixels = pixelsOf({ rows: 2, columns: 2, bitsAllocated: 16, bitsStored: 12 });
    const frame = frameOf(pixels, [0x1001, 0x8fff, 0, 0xf123]);
    const encoded = await encodeFrame(frame, uid);
    const decoded = await decodeFrame(encoded.bytes, encoded.pixels, uid, defaultPixelLimits);
    expect(Buffer.from(decoded.bytes)).toEqual(frame.bytes);
  });
});

describe('encodeFrame to JPEG Baseline', () => {
  it.each([1, 3])('makes what decodeFrame takes for nearly the same, of %i samples', async (n) => {
    const frame = picture(pixelsOf({ rows: 40, columns: 40, samplesPerPixel: n }));
    const { bytes, pixels } = await encodeFrame(frame, baseline());
    const decoded = await decodeFrame(bytes, pixels, baseline(), defaultPixelLimits);
    const before = valuesOf(frame);
    const errors = valuesOf(decoded).map((value, at) => Math.abs(value - (before[at] ?? 0)));
    expect(Math.max(...errors)).toBeLessThan(32);
    expect(decoded.pixels).toEqual(frame.pixels);
  });

  function baseline() {
    const found = encodableSyntaxes.find((one) => one === syntaxes.jpegBaseline);
    if (found === undefined) throw new Error('JPEG Baseline is not encoded.');
    return found;
  }
});
