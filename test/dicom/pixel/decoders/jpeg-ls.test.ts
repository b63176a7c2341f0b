import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { decodeJpegLs } from '../../../../src/dicom/pixel/decoders/jpeg-ls.js';
import { encodeJpegLs } from '../../../../src/dicom/pixel/encoders/jpeg-ls.js';
import { defaultPixelLimits } from '../../../../src/dicom/pixel/pixel-limits.js';
import { picture, pixelsOf, valuesOf } from '../../../support/dicom/pixel-frames.js';

interface Encoder {
  getDecodedBuffer(info: object): Uint8Array;
  setInterleaveMode(mode: number): void;
  setNearLossless(near: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}

const load = createRequire(__filename);

/** Colour in one of the orders of T.87 §C.2.3: 0 by plane, 1 by line, 2 by sample. */
async function encodeInterleaved(samples: Uint8Array, mode: number): Promise<Uint8Array> {
  const start = load('@cornerstonejs/codec-charls/wasmjs') as () => Promise<{
    JpegLSEncoder: new () => Encoder;
  }>;
  const encoder = new (await start()).JpegLSEncoder();
  const info = { width: 20, height: 30, bitsPerSample: 8, componentCount: 3, isSigned: false };
  encoder.getDecodedBuffer({ ...info, isUsingColorTransform: false }).set(samples);
  encoder.setNearLossless(0);
  encoder.setInterleaveMode(mode);
  encoder.encode();
  return Uint8Array.from(encoder.getEncodedBuffer());
}

describe('decodeJpegLs', () => {
  const colour = picture(pixelsOf({ rows: 30, columns: 20, samplesPerPixel: 3 }));

  it.each([
    ['by plane', 0, 1],
    ['by line', 1, 0],
    ['by sample', 2, 0],
  ] as const)('decodes colour interleaved %s', async (_, mode, planarConfiguration) => {
    // CharLS takes what it interleaves by pixel, and planes as planes.
    const codestream = await encodeInterleaved(colour.bytes, mode);
    const { pixels, bytes } = await decodeJpegLs(codestream, colour.pixels, defaultPixelLimits);
    expect(pixels).toEqual({ ...colour.pixels, planarConfiguration });
    expect(Buffer.compare(bytes, colour.bytes)).toBe(0);
  });

  it('refuses JPEG that is not JPEG-LS', async () => {
    const { bytes, pixels } = await encodeJpegLs(picture(pixelsOf()));
    const jpeg = Uint8Array.from(bytes);
    jpeg[3] = 0xc3;
    await expect(decodeJpegLs(jpeg, pixels, defaultPixelLimits)).rejects.toMatchObject({
      code: 'pixel-data-corrupt',
      message: 'The frame is no JPEG-LS codestream.',
    });
  });

  it('extends the sign of samples of less bits than their cells', async () => {
    const signed = pixelsOf({ bitsAllocated: 16, bitsStored: 12, pixelRepresentation: 1 });
    const frame = picture(signed);
    const encoded = await encodeJpegLs(frame);
    const decoded = await decodeJpegLs(encoded.bytes, encoded.pixels, defaultPixelLimits);
    expect(valuesOf(decoded)).toEqual(valuesOf(frame));
    expect(Buffer.compare(decoded.bytes, frame.bytes)).toBe(0);
  });
});
