import { describe, expect, it } from '@jest/globals';
import {
  encodeHighThroughputJpeg2000,
  encodeJpeg2000,
  encodeProgressiveJpeg2000,
} from '../../../../src/dicom/pixel/encoders/jpeg-2000.js';
import { picture, pixelsOf } from '../../../support/dicom/pixel-frames.js';

/** Csiz, Ssiz of each component, and progression order and component transform of COD. */
function headerOf(bytes: Uint8Array) {
  const view = Buffer.from(bytes);
  const count = view.readUInt16BE(40);
  let at = 2;
  while (view.readUInt16BE(at) !== 0xff52) at += 2 + view.readUInt16BE(at + 2);
  return {
    depths: Array.from({ length: count }, (_, component) => view.readUInt8(42 + 3 * component)),
    order: view.readUInt8(at + 5),
    transform: view.readUInt8(at + 8),
  };
}

describe.each([
  ['encodeJpeg2000', encodeJpeg2000],
  ['encodeHighThroughputJpeg2000', encodeHighThroughputJpeg2000],
])('%s', (_, encode) => {
  it('uses the reversible colour transform for RGB, and says YBR_RCT', async () => {
    const frame = picture(pixelsOf({ samplesPerPixel: 3, planarConfiguration: 1 }));
    const { bytes, pixels } = await encode(frame);
    expect(headerOf(bytes)).toMatchObject({ depths: [7, 7, 7], transform: 1 });
    expect(pixels).toEqual({
      ...frame.pixels,
      planarConfiguration: 0,
      photometricInterpretation: 'YBR_RCT',
    });
  });

  it.each([
    ['YBR_FULL', 8, 7],
    ['RGB', 16, 15],
  ])('leaves %s of %i bits untransformed', async (photometricInterpretation, bits, depth) => {
    const frame = picture(
      pixelsOf({ samplesPerPixel: 3, photometricInterpretation, bitsAllocated: bits }),
    );
    const { bytes, pixels } = await encode(frame);
    expect(headerOf(bytes)).toEqual({ depths: [depth, depth, depth], order: 4, transform: 0 });
    expect(pixels).toEqual(frame.pixels);
  });

  it('says in the codestream that samples are signed, and how many bits they have', async () => {
    const pixels = pixelsOf({ bitsAllocated: 16, bitsStored: 12, pixelRepresentation: 1 });
    expect(headerOf((await encode(picture(pixels))).bytes).depths).toEqual([0x80 + 11]);
  });

  it('encodes several frames at once', async () => {
    const frame = picture(pixelsOf({ bitsAllocated: 16 }));
    const alone = await encode(frame);
    const together = await Promise.all([encode(frame), encode(frame), encode(frame)]);
    expect(together.map(({ bytes }) => bytes)).toEqual([alone.bytes, alone.bytes, alone.bytes]);
  });
});

describe('encodeProgressiveJpeg2000', () => {
  it.each([1, 3])('tells the lengths of a tile-part for each resolution: %d', async (samples) => {
    const { bytes } = await encodeProgressiveJpeg2000(
      picture(pixelsOf({ rows: 64, columns: 64, samplesPerPixel: samples })),
    );
    const view = Buffer.from(bytes);
    const markers: number[] = [];
    let at = 2;
    for (; view.readUInt16BE(at) !== 0xff90; at += 2 + view.readUInt16BE(at + 2)) {
      markers.push(view.readUInt16BE(at));
      // COD: progression order 2 is RPCL.
      if (markers.at(-1) === 0xff52) expect(view[at + 5]).toBe(2);
    }
    expect(markers).toContain(0xff55);
    let tileParts = 0;
    for (; view.readUInt16BE(at) === 0xff90; at += view.readUInt32BE(at + 6)) tileParts++;
    expect(tileParts).toBe(6);
    expect(view.readUInt16BE(at)).toBe(0xffd9);
  });
});
