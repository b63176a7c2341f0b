/** Every lossless encoder against a decoder that is not ours. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EncodedFrame } from '../../../../src/dicom/pixel/encode-frame.js';
import {
  encodeHighThroughputJpeg2000,
  encodeJpeg2000,
} from '../../../../src/dicom/pixel/encoders/jpeg-2000.js';
import { encodeJpegLossless } from '../../../../src/dicom/pixel/encoders/jpeg-lossless.js';
import { encodeJpegLs } from '../../../../src/dicom/pixel/encoders/jpeg-ls.js';
import type { Frame, ImagePixels } from '../../../../src/dicom/pixel/image-pixels.js';
import {
  anyFrame,
  decodeByCharLs,
  decodeByOpenJpeg,
  decodeByOpenJph,
  decodeJpegLossless,
  valuesOf,
  type Decoded,
} from '../../../support/dicom/pixel-frames.js';

interface Codec {
  readonly name: string;
  readonly encode: (frame: Frame) => EncodedFrame | Promise<EncodedFrame>;
  readonly decode: (codestream: Uint8Array, pixels: ImagePixels) => Decoded | Promise<Decoded>;
  /** Frames that the decoder is known to get right. */
  readonly reads: (pixels: ImagePixels) => boolean;
}

/** The JPEG 2000 decoders are wrapped so that negative samples of eight bits come out as zero. */
const notSignedBytes = ({ bitsAllocated, pixelRepresentation }: ImagePixels): boolean =>
  bitsAllocated === 16 || pixelRepresentation === 0;

const codecs: readonly Codec[] = [
  {
    name: 'encodeJpegLossless',
    encode: encodeJpegLossless,
    decode: decodeJpegLossless,
    // It takes 16-bit colour for grey, and loses the last pixel of other colour.
    reads: ({ samplesPerPixel }) => samplesPerPixel === 1,
  },
  { name: 'encodeJpegLs', encode: encodeJpegLs, decode: decodeByCharLs, reads: () => true },
  {
    name: 'encodeJpeg2000',
    encode: encodeJpeg2000,
    decode: decodeByOpenJpeg,
    reads: notSignedBytes,
  },
  {
    name: 'encodeHighThroughputJpeg2000',
    encode: encodeHighThroughputJpeg2000,
    // OpenJPH's wrapper mixes up components of 16 bits; OpenJPEG reads this format as well.
    decode: async (codestream, { samplesPerPixel }) =>
      await (samplesPerPixel === 3 ? decodeByOpenJpeg : decodeByOpenJph)(codestream),
    reads: notSignedBytes,
  },
];

describe.each(codecs)('$name', ({ encode, decode, reads }) => {
  it('keeps the value of every sample', async () => {
    await fc.assert(
      fc.asyncProperty(anyFrame, async (frame) => {
        fc.pre(reads(frame.pixels));
        const { bytes: codestream, pixels } = await encode(frame);
        const { bytes } = await decode(codestream, pixels);
        expect(valuesOf({ pixels: { ...pixels, planarConfiguration: 0 }, bytes })).toEqual(
          valuesOf(frame),
        );
      }),
      { numRuns: 150 },
    );
  });
});
