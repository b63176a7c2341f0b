import { describe, expect, it } from '@jest/globals';
import { encodeJpegLs } from '../../../../src/dicom/pixel/encoders/jpeg-ls.js';
import { decodeByCharLs, frameOf, picture, pixelsOf } from '../../../support/pixel-frames.js';

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

  it('refuses a frame of noise, and encodes the next one', async () => {
    const pixels = pixelsOf({ rows: 256, columns: 256 });
    let state = 1;
    const noise = Array.from({ length: 65_536 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 16) & 0xff;
    });
    await expect(encodeJpegLs(frameOf(pixels, noise))).rejects.toMatchObject({
      code: 'pixel-data-unsupported',
    });
    expect((await encodeJpegLs(picture(pixels))).pixels).toEqual(pixels);
  });
});
