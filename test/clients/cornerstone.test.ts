/**
 * The image loader of cornerstone, as published, against the running service: its own requests and its
 * own reading of the answers. Only what needs a browser, or the viewer, is stood in for.
 */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { encodeFrame } from '../../src/dicom/pixel/encode-frame.js';
import type { TransferSyntaxUID } from '../../src/dicom/uid.js';
import { onEveryFace, pathOf, sample, type Sample } from '../support/conformance.js';
import { element, syntaxes, type SampleSpec } from '../support/part10-builder.js';
import { pixelsOf } from '../support/dicom/pixel-frames.js';
import { XmlHttpRequest } from '../support/host/xml-http-request.js';

interface Extracted {
  readonly contentType: string;
  readonly pixelData: Uint8Array | ArrayBuffer;
}

/** What the loader would make an image of. */
interface Loaded {
  readonly transferSyntax: string;
  readonly bytes: Buffer;
}

/** What the loader hands over when it has read an answer: in place of decoding it. */
interface CreatedImage {
  readonly pixelData: Uint8Array;
  readonly transferSyntax: string;
}

interface LoadImage {
  default(imageId: string): { readonly promise: Promise<CreatedImage> };
  getTransferSyntaxForContentType(contentType: string): string;
}

interface GetPixelData {
  default(
    uri: string,
    imageId: string,
    mediaType: string | undefined,
    options: {
      readonly streamingData?: object;
      readonly retrieveOptions?: { readonly rangeIndex: number; readonly chunkSize: number };
    },
  ): Promise<Extracted>;
}

/** The one result of a load, as cornerstone's iterator hands it on. */
class ProgressiveIterator {
  #done: Promise<unknown> = Promise.resolve();

  static async *as(promise: Promise<unknown>) {
    yield await promise;
  }

  generate(process: (iterator: { add(value: unknown): void }) => Promise<void>): void {
    this.#done = new Promise((resolve, reject) => {
      process({ add: resolve }).catch(reject);
    });
  }

  getDonePromise(): Promise<unknown> {
    return this.#done;
  }
}

const loader = '../../node_modules/@cornerstonejs/dicom-image-loader/dist/esm/imageLoader';

jest.mock(
  '@cornerstonejs/core',
  () => ({
    Enums: {
      ImageQualityStatus: { FULL_RESOLUTION: 8, SUBRESOLUTION: 6 },
      RequestType: { Interaction: 'interaction' },
    },
    eventTarget: {},
    triggerEvent: () => true,
    utilities: { ProgressiveIterator },
    imageRetrievalPoolManager: { addRequest: (send: () => void) => send() },
  }),
  { virtual: true },
);
jest.mock(
  '../../node_modules/@cornerstonejs/dicom-image-loader/dist/esm/imageLoader/createImage',
  () => ({
    __esModule: true,
    default: (_imageId: string, pixelData: ArrayBuffer, transferSyntax: string) =>
      Promise.resolve({ pixelData, transferSyntax }),
  }),
);

/** Where a reader of parts could go wrong: line ends, dashes, and headers inside of a frame. */
const misleading = Buffer.from('\r\n\r\n--\r\n--frame\r\nContent-Type: text/plain\r\n\r\n\r\n');

/** Two frames of 16 × 16 pixels, no pixel like its neighbour. */
function framesOf(bytesPerPixel: number): readonly [Buffer, Buffer] {
  const made = [3, 7].map((step) => {
    const bytes = Buffer.alloc(256 * bytesPerPixel);
    for (let at = 0; at < bytes.length; at++) bytes[at] = (at * step * 97) % 256;
    misleading.copy(bytes, 100);
    return bytes;
  });
  return made as [Buffer, Buffer];
}

const [first, second] = framesOf(2);
const pixels = pixelsOf({ bitsAllocated: 16 });
const two = element('00280008', 'IS', '2');

interface Stored {
  readonly spec: SampleSpec;
  /** As they lie in the file. */
  readonly frames: readonly Uint8Array[];
}

function native(transferSyntaxUID: string): Stored {
  const frames = [first, second];
  return {
    spec: { transferSyntaxUID, overrides: [two], pixelData: { native: Buffer.concat(frames) } },
    frames,
  };
}

function encapsulated(
  transferSyntaxUID: string,
  frames: readonly Uint8Array[],
  overrides: SampleSpec['overrides'] = [two],
): Stored {
  return { spec: { transferSyntaxUID, overrides, pixelData: { fragments: frames } }, frames };
}

async function compressed(syntax: string): Promise<Stored> {
  const isBaseline = syntax === syntaxes.jpegBaseline;
  const of = isBaseline ? pixelsOf() : pixels;
  const frames: Buffer[] = [];
  for (const bytes of framesOf(of.bitsAllocated / 8)) {
    const encoded = await encodeFrame({ pixels: of, bytes }, syntax as TransferSyntaxUID);
    frames.push(Buffer.concat([encoded.bytes, Buffer.alloc(encoded.bytes.length % 2)]));
  }
  const eightBits = [
    element('00280100', 'US', 8),
    element('00280101', 'US', 8),
    element('00280102', 'US', 7),
  ];
  return encapsulated(syntax, frames, isBaseline ? [two, ...eightBits] : [two]);
}

/** Frames that nobody decodes. */
function opaque(syntax: string): Stored {
  return encapsulated(syntax, [
    Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), misleading, Buffer.from([0xff, 0xd9])]),
    Buffer.concat([Buffer.from([0xff, 0xd8]), misleading, misleading, Buffer.from([0xff, 0xd9])]),
  ]);
}

const stored: Readonly<Record<string, () => Stored | Promise<Stored>>> = {
  ...Object.fromEntries(
    [syntaxes.implicit, syntaxes.explicit, syntaxes.deflated, syntaxes.bigEndian].map((uid) => [
      uid,
      () => native(uid),
    ]),
  ),
  ...Object.fromEntries(
    [
      syntaxes.rle,
      syntaxes.jpegBaseline,
      syntaxes.jpegLossless,
      syntaxes.jpegLs,
      syntaxes.jpeg2000,
      syntaxes.htj2k,
    ].map((uid) => [uid, () => compressed(uid)]),
  ),
  ...Object.fromEntries(
    ['51', '57', '81', '91', '92', '93', '202', '203', '110'].map((last) => [
      `1.2.840.10008.1.2.4.${last}`,
      () => opaque(`1.2.840.10008.1.2.4.${last}`),
    ]),
  ),
};

const octets = 'application/octet-stream';
const inParts = (type: string, syntax: string) =>
  `multipart/related; type=${type}; transfer-syntax=${syntax}`;

onEveryFace((client) => {
  describe('the image loader of cornerstone', () => {
    let loadImage: LoadImage;
    let getPixelData: GetPixelData;
    let rle: Sample;

    beforeAll(async () => {
      Object.assign(globalThis, { XMLHttpRequest: XmlHttpRequest });
      loadImage = (await import(`${loader}/wadors/loadImage`)) as LoadImage;
      getPixelData = (await import(`${loader}/wadors/getPixelData`)) as GetPixelData;
      rle = sample((await compressed(syntaxes.rle)).spec);
      await client.store(rle);
    });

    afterAll(() => {
      Reflect.deleteProperty(globalThis, 'XMLHttpRequest');
    });

    /** As it asks of its own accord. */
    async function load(one: Sample, frame: number): Promise<Loaded> {
      const imageId = `wadors:${client.url(pathOf(one))}/frames/${frame}`;
      const { pixelData, transferSyntax } = await loadImage.default(imageId).promise;
      return { transferSyntax, bytes: Buffer.from(pixelData) };
    }

    async function loadAs(one: Sample, frame: number, mediaType?: string): Promise<Loaded> {
      const url = `${client.url(pathOf(one))}/frames/${frame}`;
      const { contentType, pixelData } = await getPixelData.default(url, url, mediaType, {});
      return {
        transferSyntax: loadImage.getTransferSyntaxForContentType(contentType),
        bytes: Buffer.from(pixelData as Uint8Array),
      };
    }

    it.each(Object.keys(stored))('loads frames that are stored in %s', async (syntax) => {
      const made = await stored[syntax]?.();
      if (made === undefined) throw new Error(`There is nothing in ${syntax}.`);
      const one = sample(made.spec);
      const response = await client.stow([one.file]);
      await response.arrayBuffer();
      for (const [index, bytes] of made.frames.entries()) {
        const isForWeb = syntax !== syntaxes.implicit && syntax !== syntaxes.bigEndian;
        const isAsStored = client.face.microsoft || isForWeb;
        const samples =
          isAsStored || syntax === syntaxes.implicit ? bytes : Buffer.from(bytes).swap16();
        const expected = {
          transferSyntax: isAsStored ? syntax : syntaxes.explicit,
          bytes: samples,
        };
        expect(await load(one, index + 1)).toEqual(expected);
        const single = `${octets}; transfer-syntax=*`;
        expect(await loadAs(one, index + 1, single)).toEqual(expected);
      }
    });

    it.each([
      ['in parts', inParts(octets, syntaxes.explicit)],
      ['in parts, by default', `multipart/related; type=${octets}`],
      ['in a single part, by its default for that', undefined],
    ])('loads compressed frames uncompressed, %s', async (_how, accept) => {
      expect(await loadAs(rle, 1, accept)).toEqual({
        transferSyntax: syntaxes.explicit,
        bytes: first,
      });
      expect((await loadAs(rle, 2, accept)).bytes).toEqual(second);
    });

    it.each([
      ['image/jls', syntaxes.jpegLs],
      ['image/x-jls', syntaxes.jpegLs],
      ['image/jp2', syntaxes.jpeg2000],
      ['image/jphc', syntaxes.htj2k],
      ['image/jpeg', syntaxes.jpegLossless],
      ['image/x-dicom-rle', syntaxes.rle],
      ['image/dicom-rle', syntaxes.rle],
    ])('loads frames as %s, in parts and alone', async (type, syntax) => {
      const encoded = await encodeFrame({ pixels, bytes: second }, syntax as TransferSyntaxUID);
      const expected = { transferSyntax: syntax, bytes: Buffer.from(encoded.bytes) };
      for (const accept of [inParts(type, syntax), `multipart/related; type="${type}"`, type]) {
        expect(await loadAs(rle, 2, accept)).toEqual(expected);
      }
    });

    it.each([
      ['alone', octets, () => Promise.resolve(second)],
      [
        'in parts, which have no ranges',
        inParts(octets, '*'),
        async () => (await load(rle, 2)).bytes,
      ],
    ])('loads a frame that it asks for in ranges, %s', async (_how, accept, expected) => {
      const url = `${client.url(pathOf(rle))}/frames/2`;
      const streamingData = { url };
      const ranged = async (rangeIndex: number) =>
        await getPixelData.default(url, url, accept, {
          streamingData,
          retrieveOptions: { rangeIndex, chunkSize: 200 },
        });
      await ranged(0);
      const { pixelData } = await ranged(-1);
      expect(Buffer.from(pixelData as Uint8Array)).toEqual(await expected());
    });

    it('fails to load a frame that is not there', async () => {
      await expect(load(rle, 3)).rejects.toMatchObject({ status: 404 });
    });
  });
});
