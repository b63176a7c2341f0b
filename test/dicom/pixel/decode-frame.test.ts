import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../../src/errors.js';
import { everyFrame } from '../../../src/dicom/frames.js';
import { toDataSet } from '../../../src/dicom/json.js';
import { parsePart10 } from '../../../src/dicom/part10/part10.js';
import { decodableSyntaxes } from '../../../src/dicom/pixel/codecs.js';
import { decodeFrame } from '../../../src/dicom/pixel/decode-frame.js';
import { encodeFrame } from '../../../src/dicom/pixel/encode-frame.js';
import {
  frameBytes,
  imagePixelsOf,
  type Frame,
  type ImagePixels,
} from '../../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../../src/dicom/pixel/pixel-limits.js';
import type { TransferSyntaxUID } from '../../../src/dicom/uid.js';
import { corpusFile, hasCorpus } from '../../support/dicom/corpus.js';
import { frameHeader, segment } from '../../support/dicom/jpeg-builder.js';
import { anyFrame, picture, pixelsOf, valuesOf } from '../../support/dicom/pixel-frames.js';

const uid = (suffix: string) => `1.2.840.10008.1.2${suffix}` as TransferSyntaxUID;

const lossless = ['', '.1', '.1.99', '.4.70', '.4.80', '.4.90', '.4.201', '.5'];
const compressed = ['.4.50', '.4.70', '.4.80', '.4.90', '.4.201', '.5'];

async function decode(payload: Uint8Array, stored: ImagePixels, suffix: string): Promise<Frame> {
  return await decodeFrame(payload, stored, uid(suffix), defaultPixelLimits);
}

/** A SIZ segment and what has to follow it, without data. */
function jpeg2000Header(rows: number, columns: number): Uint8Array {
  const uint32 = (value: number) => [
    value >>> 24,
    (value >> 16) & 255,
    (value >> 8) & 255,
    value & 255,
  ];
  return Uint8Array.from([
    ...[0xff, 0x4f],
    ...segment(
      0x51,
      ...[0, 0],
      ...[columns, rows, 0, 0, columns, rows, 0, 0].flatMap(uint32),
      ...[0, 1, 7, 1, 1],
    ),
    ...segment(0x52, 0, 0, 0, 1, 0, 5, 4, 4, 0, 1),
    ...[0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x93, 0, 0, 0xff, 0xd9],
  ]);
}

function jpegHeader(process: number, rows: number, columns: number): Uint8Array {
  const planes = [{ id: 1, width: 0, height: 0, samples: [] }];
  return Uint8Array.from([
    ...[0xff, 0xd8],
    ...frameHeader(process, { precision: 8, rows, columns, planes }),
    ...segment(0xda, 1, 1, 0, 1, 0, 0),
    ...[0, 0, 0xff, 0xd9],
  ]);
}

/** Headers without pictures, by transfer syntax. */
const headers: readonly (readonly [string, (rows: number, columns: number) => Uint8Array])[] = [
  ['.4.50', (rows, columns) => jpegHeader(0xc0, rows, columns)],
  ['.4.51', (rows, columns) => jpegHeader(0xc1, rows, columns)],
  ['.4.70', (rows, columns) => jpegHeader(0xc3, rows, columns)],
  ['.4.80', (rows, columns) => jpegHeader(0xf7, rows, columns)],
  ['.4.90', jpeg2000Header],
  ['.4.201', jpeg2000Header],
];

describe('decodeFrame', () => {
  it.each(lossless)('gives back what is encoded without losses in %s', async (suffix) => {
    await fc.assert(
      fc.asyncProperty(anyFrame, async (frame) => {
        const encoded = await encodeFrame(frame, uid(suffix));
        const decoded = await decode(encoded.bytes, encoded.pixels, suffix);
        expect(valuesOf(decoded)).toEqual(valuesOf(frame));
        expect(decoded.bytes.length).toBe(frameBytes(decoded.pixels));
        const { photometricInterpretation, bitsStored } = frame.pixels;
        expect(decoded.pixels).toMatchObject({ photometricInterpretation, bitsStored });
      }),
      { numRuns: 60 },
    );
  });

  it('inflates frames of Deflated Image Frame Compression, and no more than a frame', async () => {
    const frame = picture(pixelsOf());
    expect(await decode(deflateRawSync(frame.bytes), frame.pixels, '.8.1')).toEqual(frame);
    const bomb = deflateRawSync(new Uint8Array(10_000_000));
    for (const payload of [bomb, Uint8Array.of(1, 2, 3), deflateRawSync(Uint8Array.of(1))]) {
      await expect(decode(payload, frame.pixels, '.8.1')).rejects.toMatchObject({
        code: 'pixel-data-corrupt',
      });
    }
  });

  it('takes encapsulated uncompressed frames as they are', async () => {
    const frame = picture(pixelsOf());
    expect(await decode(frame.bytes, frame.pixels, '.1.98')).toEqual(frame);
  });

  it.each(['.4.110', '.4.92', '.4.102', '.4.107', '.4.55', '.99'])(
    'says that it cannot decode %s',
    async (suffix) => {
      expect(decodableSyntaxes).not.toContain(uid(suffix));
      await expect(decode(new Uint8Array(256), pixelsOf(), suffix)).rejects.toMatchObject({
        code: 'pixel-data-unsupported',
        message: `Pixel data in transfer syntax ${uid(suffix)} cannot be decoded.`,
      });
    },
  );

  it.each(headers)(
    'names both sizes where %s has another than the data set',
    async (suffix, header) => {
      await expect(decode(header(65_535, 65_535), pixelsOf(), suffix)).rejects.toMatchObject({
        code: 'pixel-data-corrupt',
        message: 'The codestream has 65535 rows and 65535 columns, the data set 16 and 16.',
      });
    },
  );

  it.each(headers)('refuses a picture without data in %s', async (suffix, header) => {
    await expect(decode(header(16, 16), pixelsOf(), suffix)).rejects.toMatchObject({
      code: 'pixel-data-corrupt',
    });
  });

  it('refuses a frame over the limit before it looks at it', async () => {
    const huge = pixelsOf({ rows: 65_535, columns: 65_535 });
    for (const syntax of decodableSyntaxes) {
      await expect(
        decodeFrame(new Uint8Array(), huge, syntax, defaultPixelLimits),
      ).rejects.toMatchObject({
        code: 'pixel-data-too-large',
        facts: { limit: 'maxFrameBytes', limitValue: defaultPixelLimits.frameBytes },
      });
    }
    const limits = { frameBytes: 256 };
    await expect(
      decodeFrame(new Uint8Array(257), pixelsOf(), uid('.1'), limits),
    ).rejects.toMatchObject({ code: 'pixel-data-too-large' });
  });

  it.each([
    { bitsStored: 0, highBit: 0 },
    { bitsStored: 9 },
    { bitsStored: 4, highBit: 2 },
    { highBit: 8 },
  ])('refuses bits that contradict each other: %p', async (bits) => {
    await expect(decode(new Uint8Array(256), pixelsOf(bits), '.1')).rejects.toMatchObject({
      code: 'pixel-data-corrupt',
    });
  });

  it.each(compressed)('refuses %s wherever it is cut off', async (suffix) => {
    const frame = picture(pixelsOf({ rows: 32, columns: 32 }));
    const { bytes, pixels } = await encodeFrame(frame, uid(suffix));
    for (let share = 0; share < 0.98; share += 0.07) {
      const payload = bytes.slice(0, Math.floor(bytes.length * share));
      await expect(decode(payload, pixels, suffix)).rejects.toMatchObject({
        code: 'pixel-data-corrupt',
      });
    }
  });

  it.each(compressed)(
    'answers damaged %s with a frame or an error of the service',
    async (suffix) => {
      const frame = picture(pixelsOf({ rows: 32, columns: 32, samplesPerPixel: 3 }));
      const { bytes, pixels } = await encodeFrame(frame, uid(suffix));
      const place = fc.oneof(
        fc.integer({ min: 0, max: Math.min(200, bytes.length - 1) }),
        fc.integer({ min: 0, max: bytes.length - 1 }),
      );
      const damage = fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      });
      await fc.assert(
        fc.asyncProperty(damage, async (changes) => {
          const payload = Uint8Array.from(bytes);
          for (const [at, byte] of changes) payload[at] = byte;
          try {
            const decoded = await decode(payload, pixels, suffix);
            expect(decoded.bytes.length).toBe(frameBytes(decoded.pixels));
          } catch (error) {
            expect(error).toBeInstanceOf(ServiceError);
          }
        }),
        { numRuns: 30 },
      );
      const again = await decode(bytes, pixels, suffix);
      expect(again.bytes.length).toBe(frameBytes(again.pixels));
    },
  );

  describe('of real files', () => {
    const corpus = hasCorpus() ? it : it.skip;

    async function framesOf(name: string): Promise<Frame[]> {
      const file = corpusFile(name);
      const parsed = await parsePart10(file);
      const stored = imagePixelsOf(toDataSet(parsed.dataSet));
      const syntax = parsed.meta.transferSyntaxUID;
      if (stored === undefined || parsed.frames === undefined) throw new RangeError(name);
      const frames: Frame[] = [];
      for (const runs of everyFrame(parsed.frames)) {
        const payload = Buffer.concat(
          runs.map(({ offset, length }) => file.subarray(offset, offset + length)),
        );
        frames.push(await decodeFrame(payload, stored, syntax, defaultPixelLimits));
      }
      return frames;
    }

    corpus.each([
      ['pydicom/MR_small_RLE.dcm', 'pydicom/MR_small.dcm'],
      ['pydicom/MR_small_bigendian.dcm', 'pydicom/MR_small.dcm'],
      ['pydicom/MR_small_jp2klossless.dcm', 'pydicom/MR_small.dcm'],
      ['pydicom/MR_small_jpeg_ls_lossless.dcm', 'pydicom/MR_small.dcm'],
      ['pydicom/rtdose_expb.dcm', 'pydicom/rtdose.dcm'],
      ['pydicom/rtdose_rle.dcm', 'pydicom/rtdose.dcm'],
      ['pydicom-data/liver_rle.dcm', 'pydicom-data/liver.dcm'],
      ['pydicom-data/liver_deflate.dcm', 'pydicom-data/liver.dcm'],
    ])('decodes %s to the samples of %s', async (name, original) => {
      const [frames, wanted] = [await framesOf(name), await framesOf(original)];
      expect(frames.length).toBe(wanted.length);
      frames.forEach(({ bytes }, at) => {
        expect(Buffer.compare(bytes, wanted[at]?.bytes ?? new Uint8Array())).toBe(0);
      });
    });
  });
});
