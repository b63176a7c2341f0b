import { describe, expect, it } from '@jest/globals';
import {
  decodeHighThroughputJpeg2000,
  decodeJpeg2000,
} from '../../../../src/dicom/pixel/decoders/jpeg-2000.js';
import {
  encodeHighThroughputJpeg2000,
  encodeJpeg2000,
} from '../../../../src/dicom/pixel/encoders/jpeg-2000.js';
import { defaultPixelLimits } from '../../../../src/dicom/pixel/pixel-limits.js';
import { picture, pixelsOf, valuesOf } from '../../../support/dicom/pixel-frames.js';

const limits = defaultPixelLimits;
const grey = picture(pixelsOf({ rows: 40, columns: 30 }));
const colour = picture(pixelsOf({ rows: 40, columns: 30, samplesPerPixel: 3 }));

/** Ssiz, XRsiz and YRsiz of the first component. */
const firstComponent = { depth: 42, across: 43 };

function changed(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = byte;
  return copy;
}

/** A JP2 file around a codestream; `length` as its box says it. */
function jp2(codestream: Uint8Array, length: number): Uint8Array {
  const box = (type: string, ...content: number[]) => [
    ...[0, 0, 0, content.length + 8],
    ...Buffer.from(type),
    ...content,
  ];
  const head = Buffer.alloc(8);
  head.writeUInt32BE(length);
  head.write('jp2c', 4);
  return Buffer.concat([
    Uint8Array.from([...box('jP  ', 0x0d, 0x0a, 0x87, 0x0a), ...box('ftyp', 1, 2, 3, 4)]),
    head,
    codestream,
  ]);
}

describe.each([
  ['decodeJpeg2000', decodeJpeg2000, encodeJpeg2000],
  ['decodeHighThroughputJpeg2000', decodeHighThroughputJpeg2000, encodeHighThroughputJpeg2000],
] as const)('%s', (_, decode, encode) => {
  it('finds the codestream in a JP2 file', async () => {
    const { bytes } = await encode(grey);
    for (const length of [bytes.length + 8, 0]) {
      const frame = await decode(jp2(bytes, length), grey.pixels, limits);
      expect(frame.pixels).toEqual(grey.pixels);
      expect(Buffer.compare(frame.bytes, grey.bytes)).toBe(0);
    }
  });

  it.each(['RGB', 'YBR_RCT', 'YBR_FULL', 'YBR_ICT'])(
    'says RGB of transformed colour that the data set calls %s',
    async (photometricInterpretation) => {
      const { bytes } = await encode(colour);
      const frame = await decode(bytes, { ...colour.pixels, photometricInterpretation }, limits);
      expect(frame.pixels.photometricInterpretation).toBe('RGB');
      expect(valuesOf(frame)).toEqual(valuesOf(colour));
    },
  );

  it.each([
    ['YBR_FULL', 'YBR_FULL'],
    ['YBR_FULL_422', 'YBR_FULL'],
    ['YBR_RCT', 'RGB'],
    ['RGB', 'RGB'],
  ])('says of untransformed colour that is called %s that it is %s', async (named, wanted) => {
    const pixels = { ...colour.pixels, photometricInterpretation: 'YBR_FULL' };
    const { bytes } = await encode({ ...colour, pixels });
    const stored = { ...pixels, photometricInterpretation: named };
    const frame = await decode(bytes, stored, limits);
    expect(frame.pixels.photometricInterpretation).toBe(wanted);
    expect(valuesOf(frame)).toEqual(valuesOf(colour));
  });

  it.each([8, 12, 16])('decodes signed samples of %i bits', async (bitsStored) => {
    const bitsAllocated = bitsStored > 8 ? 16 : 8;
    const frame = picture(pixelsOf({ bitsAllocated, bitsStored, pixelRepresentation: 1 }));
    const { bytes } = await encode(frame);
    const decoded = await decode(bytes, frame.pixels, limits);
    expect(Buffer.compare(decoded.bytes, frame.bytes)).toBe(0);
  });

  it('extends the sign where only the data set knows of one', async () => {
    const unsigned = picture(pixelsOf({ bitsAllocated: 16, bitsStored: 13 }));
    const { bytes } = await encode(unsigned);
    const stored = { ...unsigned.pixels, pixelRepresentation: 1 as const };
    const frame = await decode(bytes, stored, limits);
    const wanted = valuesOf(unsigned).map((value) => (value < 4096 ? value : value - 8192));
    expect([...new Int16Array(Uint8Array.from(frame.bytes).buffer)]).toEqual(wanted);
  });

  it('refuses subsampled components, and components of different depth', async () => {
    const { bytes, pixels } = await encode(colour);
    for (const [at, byte] of [
      [firstComponent.across, 2],
      [firstComponent.depth, 8],
    ] as const) {
      await expect(decode(changed(bytes, at, byte), pixels, limits)).rejects.toMatchObject({
        code: 'pixel-data-unsupported',
      });
    }
  });

  it('refuses a picture of which tiles are missing', async () => {
    const { bytes, pixels } = await encode(grey);
    // Half the tile width makes two tiles, of which one is there.
    await expect(decode(changed(bytes, 27, 15), pixels, limits)).rejects.toMatchObject({
      code: 'pixel-data-corrupt',
      message: 'The JPEG 2000 codestream has 1 of 2 tiles.',
    });
  });

  it('refuses what is no codestream', async () => {
    for (const payload of [new Uint8Array(), Uint8Array.of(0xff, 0x4f), new Uint8Array(100)]) {
      await expect(decode(payload, grey.pixels, limits)).rejects.toMatchObject({
        code: 'pixel-data-corrupt',
      });
    }
  });
});
