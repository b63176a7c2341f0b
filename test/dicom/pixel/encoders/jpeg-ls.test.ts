import { describe, expect, it } from '@jest/globals';
import { decodeFrame } from '../../../../src/dicom/pixel/decode-frame.js';
import { encodeJpegLs } from '../../../../src/dicom/pixel/encoders/jpeg-ls.js';
import { defaultPixelLimits } from '../../../../src/dicom/pixel/pixel-limits.js';
import type { TransferSyntaxUID } from '../../../../src/dicom/uid.js';
import { decodeByCharLs, frameOf, picture, pixelsOf } from '../../../support/dicom/pixel-frames.js';
import { syntaxes } from '../../../support/part10-builder.js';

const jpegLs = syntaxes.jpegLs as TransferSyntaxUID;

/** Parameters of the scan: components, NEAR and ILV (ISO/IEC 14495-1 §C.2.3). */
function scanOf(bytes: Uint8Array) {
  const view = Buffer.from(bytes);
  const scan = view.subarray(view.indexOf(Buffer.from([0xff, 0xda])) + 4);
  const components = scan.readUInt8(0);
  const near = 1 + 2 * components;
  return { components, near: scan.readUInt8(near), interleave: scan.readUInt8(near + 1) };
}

describe('encodeJpegLs', () => {
  it('writes grey as one scan without loss', async () => {
    const frame = picture(pixelsOf({ bitsAllocated: 16, bitsStored: 12 }));
    const { bytes, pixels, lossy } = await encodeJpegLs(frame);
    expect(scanOf(bytes)).toEqual({ components: 1, near: 0, interleave: 0 });
    expect(pixels).toEqual(frame.pixels);
    expect(lossy).toBeUndefined();
    expect(await decodeByCharLs(bytes)).toMatchObject({ bitsPerSample: 12, componentCount: 1 });
  });

  it('interleaves colour by sample, and keeps its colour space', async () => {
    const frame = picture(pixelsOf({ samplesPerPixel: 3, planarConfiguration: 1 }));
    const { bytes, pixels } = await encodeJpegLs(frame);
    expect(scanOf(bytes)).toEqual({ components: 3, near: 0, interleave: 2 });
    expect(pixels).toEqual({ ...frame.pixels, planarConfiguration: 0 });
  });

  it('has at least eight bits in the codestream, which all decoders know', async () => {
    const { bytes } = await encodeJpegLs(picture(pixelsOf({ bitsStored: 3 })));
    expect(await decodeByCharLs(bytes)).toMatchObject({ bitsPerSample: 8 });
  });

  it.each([8, 16])('keeps noise of %i bits, which takes more room than it had', async (bits) => {
    const pixels = pixelsOf({ rows: 250, columns: 256, bitsAllocated: bits });
    const frame = frameOf(pixels, noise(250 * 256, bits));
    const { bytes } = await encodeJpegLs(frame);
    expect(bytes.length).toBeGreaterThan(frame.bytes.length);
    expect(scanOf(bytes)).toEqual({ components: 1, near: 0, interleave: 0 });
    const decoded = await decodeFrame(bytes, pixels, jpegLs, defaultPixelLimits);
    expect(Buffer.from(decoded.bytes)).toEqual(frame.bytes);
  });

  it('refuses colour that is noise, and encodes the next frame', async () => {
    const pixels = pixelsOf({ rows: 256, columns: 256, samplesPerPixel: 3 });
    await expect(encodeJpegLs(frameOf(pixels, noise(196_608, 8)))).rejects.toMatchObject({
      code: 'pixel-data-unsupported',
    });
    expect((await encodeJpegLs(picture(pixels))).pixels).toEqual(pixels);
  });
});

/** Words that are random in every bit. */
function noise(count: number, bits: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 8) & (2 ** bits - 1);
  });
}
