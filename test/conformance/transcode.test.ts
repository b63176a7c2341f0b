/** Instances and frames in other transfer syntaxes than the stored one (PS3.18 §8.7.3). */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { everyFrame } from '../../src/dicom/frames.js';
import { parsePart10 } from '../../src/dicom/part10/part10.js';
import { decodableSyntaxes } from '../../src/dicom/pixel/codecs.js';
import { decodeFrame } from '../../src/dicom/pixel/decode-frame.js';
import { encodeFrame } from '../../src/dicom/pixel/encode-frame.js';
import type { ImagePixels } from '../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../src/dicom/pixel/pixel-limits.js';
import { rgbOf } from '../../src/dicom/pixel/render/color.js';
import type { TransferSyntaxUID } from '../../src/dicom/uid.js';
import {
  fresh,
  onEveryFace,
  onEveryHost,
  pathOf,
  sample,
  valueOf,
  type Client,
  type Sample,
} from '../support/conformance.js';
import { element, syntaxes, type SampleSpec } from '../support/part10-builder.js';
import { pixelsOf } from '../support/dicom/pixel-frames.js';

const pixels: ImagePixels = {
  rows: 16,
  columns: 16,
  samplesPerPixel: 1,
  photometricInterpretation: 'MONOCHROME2',
  planarConfiguration: 0,
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  pixelRepresentation: 0,
};

/** Two frames of 16 × 16 pixels of 16 bits, no pixel like its neighbour. */
const frames = [3, 7].map((step) => {
  const bytes = Buffer.alloc(512);
  for (let at = 0; at < 256; at++) bytes.writeUInt16LE((at * step * 997) % 65_536, at * 2);
  return bytes;
}) as [Buffer, Buffer];
const native = Buffer.concat(frames);
const two = element('00280008', 'IS', '2');

/** The lossless syntaxes that frames are compressed to. */
const lossless = [
  syntaxes.rle,
  syntaxes.jpegLossless,
  syntaxes.jpegLs,
  syntaxes.jpeg2000,
  syntaxes.htj2k,
];

async function compressed(syntax: string): Promise<SampleSpec> {
  const fragments: Buffer[] = [];
  for (const bytes of frames) {
    const encoded = await encodeFrame({ pixels, bytes }, syntax as TransferSyntaxUID);
    const { length } = encoded.bytes;
    fragments.push(Buffer.concat([encoded.bytes, Buffer.alloc(length % 2)]));
  }
  return { transferSyntaxUID: syntax, overrides: [two], pixelData: { fragments } };
}

/** The frames of a file, decoded. */
async function decoded(file: Buffer): Promise<readonly Buffer[]> {
  const parsed = await parsePart10(file);
  if (parsed.frames === undefined) return [];
  const found: Buffer[] = [];
  for (const runs of everyFrame(parsed.frames)) {
    const parts = runs.map(({ offset, length }) => file.subarray(offset, offset + length));
    const frame = await decodeFrame(
      Buffer.concat(parts),
      pixels,
      parsed.meta.transferSyntaxUID,
      defaultPixelLimits,
    );
    found.push(Buffer.from(frame.bytes));
  }
  return found;
}

const dicom = (syntax: string) => `application/dicom; transfer-syntax=${syntax}`;
const inParts = (type: string, syntax?: string) =>
  `multipart/related; type="${type}"${syntax === undefined ? '' : `; transfer-syntax=${syntax}`}`;
const octets = 'application/octet-stream';

async function syntaxesOf(client: Client, path: string, accept: string) {
  const parts = await client.parts(path, accept);
  return parts.map(
    ({ headers }) => /transfer-syntax=([\d.]+)/.exec(headers['Content-Type'] ?? '')?.[1],
  );
}

onEveryFace((client) => {
  describe('GET an instance in another transfer syntax', () => {
    const plain = sample({ overrides: [two], pixelData: { native } });

    beforeAll(async () => {
      await client.store(plain);
    });

    it.each(lossless)('gives native frames compressed to %s', async (syntax) => {
      const response = await client.get(pathOf(plain), dicom(syntax));
      const file = Buffer.from(await response.arrayBuffer());
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(dicom(syntax));
      expect((await parsePart10(file)).meta.transferSyntaxUID).toBe(syntax);
      if (decodableSyntaxes.some((uid) => uid === syntax)) {
        expect(await decoded(file)).toEqual(frames);
      }
    });

    it.each(lossless.filter((one) => decodableSyntaxes.some((uid) => uid === one)))(
      'decodes frames that are stored in %s, by default and when asked',
      async (syntax) => {
        const one = sample(await compressed(syntax));
        await client.store(one);
        for (const accept of ['application/dicom', dicom(syntaxes.explicit)]) {
          const file = await client.bytes(pathOf(one), accept);
          expect((await parsePart10(file)).meta.transferSyntaxUID).toBe(syntaxes.explicit);
          expect(await decoded(file)).toEqual(frames);
        }
        const deflated = await client.bytes(pathOf(one), dicom(syntaxes.deflated));
        expect((await parsePart10(deflated)).frames).toMatchObject({
          kind: 'native',
          length: 1024,
        });
        expect(await client.bytes(pathOf(one), dicom('*'))).toEqual(one.file);
        expect(await client.bytes(pathOf(one), dicom(syntax))).toEqual(one.file);
      },
    );

    it.each([syntaxes.implicit, syntaxes.bigEndian, syntaxes.deflated])(
      'gives what is stored in %s as explicit VR little endian, unless told otherwise',
      async (transferSyntaxUID) => {
        const swapped = Buffer.from(native).swap16();
        const isBig = transferSyntaxUID === syntaxes.bigEndian;
        const one = sample({
          transferSyntaxUID,
          overrides: [two],
          pixelData: { native: isBig ? swapped : native },
        });
        const response = await client.stow([one.file]);
        await response.arrayBuffer();
        const file = await client.bytes(pathOf(one), 'application/dicom');
        expect((await parsePart10(file)).meta.transferSyntaxUID).toBe(syntaxes.explicit);
        expect(await decoded(file)).toEqual(frames);
        // Implicit VR and big endian are not sent by web services (PS3.18 §8.7.3).
        const isForWeb = client.face.microsoft || transferSyntaxUID === syntaxes.deflated;
        const any = await client.bytes(pathOf(one), dicom('*'));
        expect(any).toEqual(isForWeb ? one.file : file);
        const sent = isForWeb ? transferSyntaxUID : syntaxes.explicit;
        for (const accept of ['*/*', 'multipart/related; type="*/*"']) {
          expect(await syntaxesOf(client, pathOf(one), accept)).toEqual([sent]);
          expect(await syntaxesOf(client, pathOf({ study: one.study }), accept)).toEqual([sent]);
        }
        for (const uid of [syntaxes.implicit, syntaxes.bigEndian]) {
          const asked = await client.get(pathOf(one), dicom(uid));
          await asked.arrayBuffer();
          const isThere =
            client.face.microsoft && [transferSyntaxUID, syntaxes.implicit].includes(uid);
          expect(asked.status).toBe(isThere ? 200 : 406);
        }
      },
    );

    it('gives what has no pixels in any syntax', async () => {
      const report = sample({ pixelData: null, transferSyntaxUID: syntaxes.explicit });
      await client.store(report);
      const file = await client.bytes(pathOf(report), dicom(syntaxes.jpeg2000));
      const parsed = await parsePart10(file);
      expect(parsed.meta.transferSyntaxUID).toBe(syntaxes.jpeg2000);
      expect(parsed.dataSet.elements.length).toBeGreaterThan(20);
    });

    it('prefers the stored syntax among those that are equally welcome', async () => {
      const accept = [syntaxes.rle, syntaxes.explicit].map(dicom).join(', ');
      expect(await client.bytes(pathOf(plain), accept)).toEqual(plain.file);
    });

    it('refuses 16 bits as 8-bit JPEG, and says what there is', async () => {
      const response = await client.get(pathOf(plain), dicom(syntaxes.jpegBaseline));
      expect(await client.refusal(response, 406)).toContain(dicom(syntaxes.jpegLs));
    });
  });

  describe('GET a study in one transfer syntax', () => {
    const study = fresh();

    beforeAll(async () => {
      await client.store(
        sample({ study, overrides: [two], pixelData: { native } }),
        sample({ study, ...(await compressed(syntaxes.rle)) }),
        sample({ study, pixelData: null }),
      );
    });

    it('transcodes those that are stored otherwise, any number of them', async () => {
      const asked = inParts('application/dicom', syntaxes.jpegLs);
      expect(await syntaxesOf(client, pathOf({ study }), asked)).toEqual(
        Array(3).fill(syntaxes.jpegLs),
      );
      for (const accept of [
        inParts('application/dicom'),
        inParts('application/dicom', syntaxes.explicit),
      ]) {
        const parts = await client.parts(pathOf({ study }), accept);
        const found = await Promise.all(
          parts.map(async ({ body }) => (await parsePart10(body)).meta.transferSyntaxUID),
        );
        expect(found).toEqual(Array(3).fill(syntaxes.explicit));
      }
    });

    it('sends what cannot be decoded as stored to those who take that, and to no others', async () => {
      const mixed = fresh();
      const fragments = [Buffer.from([0, 0, 1, 0xb3])];
      const video = sample({
        study: mixed,
        transferSyntaxUID: syntaxes.mpeg4,
        pixelData: { fragments },
      });
      await client.store(sample({ study: mixed, ...(await compressed(syntaxes.rle)) }), video);
      const explicit = inParts('application/dicom', syntaxes.explicit);
      const path = pathOf({ study: mixed });
      const expected = [syntaxes.explicit, syntaxes.mpeg4].sort();
      for (const accept of [
        inParts('application/dicom'),
        `${explicit}, ${inParts('application/dicom', '*')}; q=0.5`,
        `${explicit}, ${inParts('application/dicom', syntaxes.mpeg4)}`,
      ]) {
        expect((await syntaxesOf(client, path, accept)).sort()).toEqual(expected);
      }
      const response = await client.get(path, explicit);
      expect(await client.refusal(response, 406)).toContain(syntaxes.mpeg4);
    });

    it('looks at the pixels, too, before it begins', async () => {
      const accept = inParts('application/dicom', syntaxes.jpegBaseline);
      await client.refusal(await client.get(pathOf({ study }), accept), 406);
    });
  });

  describe('GET frames in another transfer syntax', () => {
    let stored: Sample;
    let payloads: readonly Uint8Array[] = [];
    const plain = sample({ overrides: [two], pixelData: { native } });

    beforeAll(async () => {
      const spec = await compressed(syntaxes.rle);
      stored = sample(spec);
      payloads = spec.pixelData && 'fragments' in spec.pixelData ? spec.pixelData.fragments : [];
      await client.store(stored, plain);
    });

    it.each([
      ['dicomweb-client', inParts(octets), octets, syntaxes.explicit],
      ['MONAI', inParts(octets, syntaxes.explicit), octets, syntaxes.explicit],
      ['OHIF', inParts(octets, '"*"'), octets, syntaxes.rle],
      ['cornerstone', `multipart/related; type=${octets}; transfer-syntax=*`, octets, syntaxes.rle],
      ['dicomweb-client for Python', inParts('*/*'), octets, syntaxes.rle],
      ['old microscopy viewers', '*/*', octets, syntaxes.rle],
      ['OHIF for RLE', inParts('image/dicom-rle'), 'image/dicom-rle', syntaxes.rle],
      ['an older name', inParts('image/x-dicom-rle'), 'image/dicom-rle', syntaxes.rle],
      ['any image', inParts('image/*'), 'image/dicom-rle', syntaxes.rle],
      ['OHIF for JPEG-LS', inParts('image/jls'), 'image/jls', syntaxes.jpegLs],
      ['an older name of that', inParts('image/x-jls'), 'image/jls', syntaxes.jpegLs],
      ['clients of the Microsoft server', inParts('image/jp2'), 'image/jp2', syntaxes.jpeg2000],
      ['OHIF for HTJ2K', inParts('image/jphc'), 'image/jphc', syntaxes.htj2k],
      [
        'the older name of that',
        inParts('image/jhc', syntaxes.htj2k),
        'image/jphc',
        syntaxes.htj2k,
      ],
      ['PS3.18 for JPEG', inParts('image/jpeg'), 'image/jpeg', syntaxes.jpegLossless],
      [
        'a list of dicomweb-client',
        `${inParts('image/jls', syntaxes.jpegLs)}, ${inParts('image/jp2', syntaxes.jpeg2000)}`,
        'image/jls',
        syntaxes.jpegLs,
      ],
    ])('answers %s', async (_client, accept, askedFor, syntax) => {
      // A compressed frame comes in its own type also to those who take any syntax of bytes.
      const isOwn = !client.face.microsoft && syntax === syntaxes.rle;
      const mediaType = isOwn ? 'image/dicom-rle' : askedFor;
      const parts = await client.parts(`${pathOf(stored)}/frames/2,1`, accept);
      expect(parts.map(({ headers }) => headers['Content-Type'])).toEqual(
        Array(2).fill(`${mediaType}; transfer-syntax=${syntax}`),
      );
      const bodies = parts.map(({ body }) => body);
      if (syntax === syntaxes.rle) expect(bodies).toEqual([payloads[1], payloads[0]]);
      if (syntax === syntaxes.explicit) expect(bodies).toEqual([frames[1], frames[0]]);
    });

    it('answers 404 for a frame past the end, whatever the syntax', async () => {
      const response = await client.get(`${pathOf(stored)}/frames/3`, inParts('image/jls'));
      await client.refusal(response, 404);
    });

    it('turns big-endian samples round', async () => {
      const one = sample({
        transferSyntaxUID: syntaxes.bigEndian,
        overrides: [two],
        pixelData: { native: Buffer.from(native).swap16() },
      });
      await client.store(one);
      expect(await client.bytes(`${pathOf(one)}/frames/2`, octets)).toEqual(frames[1]);
    });

    it.each([
      ['stored', () => plain, octets],
      ['transcoded', () => stored, octets],
    ])('sends ranges of a frame that is %s', async (_how, one, accept) => {
      const path = `${pathOf(one())}/frames/2`;
      const ranged = async (range: string, ifRange?: string) =>
        await client.send('GET', path, {
          headers: { accept, range, ...(ifRange !== undefined && { 'if-range': ifRange }) },
        });
      const part = await ranged('bytes=100-199');
      expect(part.status).toBe(206);
      expect(part.headers.get('content-range')).toBe('bytes 100-199/512');
      expect(part.headers.get('content-length')).toBe('100');
      expect(Buffer.from(await part.arrayBuffer())).toEqual(frames[1].subarray(100, 200));

      const etag = part.headers.get('etag') ?? '';
      for (const [ifRange, status, length] of [
        [etag, 206, 12],
        ['"other"', 200, 512],
      ] as const) {
        const again = await ranged('bytes=500-', ifRange);
        expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([status, length]);
        expect(again.headers.get('accept-ranges')).toBe('bytes');
      }
      const beyond = await ranged('bytes=512-');
      expect(beyond.headers.get('content-range')).toBe('bytes */512');
      await client.refusal(beyond, 416);
    });

    it('sends ranges of a stored file', async () => {
      const response = await client.send('GET', pathOf(plain), {
        headers: { accept: dicom('*'), range: 'bytes=128-131' },
      });
      expect([response.status, await response.text()]).toEqual([206, 'DICM']);
    });

    it('answers 304 to those who have it, and the same bytes twice to others', async () => {
      for (const [path, accept] of [
        [`${pathOf(stored)}/frames/1,2`, inParts(octets)],
        [`${pathOf(stored)}/frames/1`, inParts(octets, '*')],
        [pathOf(stored), inParts('application/dicom', '*')],
        [pathOf(stored), 'application/dicom'],
      ] as const) {
        const [one, other] = [await client.get(path, accept), await client.get(path, accept)];
        expect(Buffer.from(await one.arrayBuffer())).toEqual(
          Buffer.from(await other.arrayBuffer()),
        );
        const etag = one.headers.get('etag') ?? '';
        expect(etag).toMatch(/^"[^"]+"$/);
        expect(one.headers.get('last-modified')).not.toBeNull();
        const headers = { accept, 'if-none-match': etag };
        const kept = await client.send('GET', path, { headers });
        expect([kept.status, await kept.text()]).toEqual([304, '']);
        expect(kept.headers.get('etag')).toBe(etag);
      }
      const etags = await Promise.all(
        [octets, 'image/jls', 'image/jp2', dicom('*')].map(async (accept) => {
          const isFile = accept.startsWith('application/dicom');
          const path = isFile ? pathOf(stored) : `${pathOf(stored)}/frames/1`;
          const response = await client.get(path, accept);
          await response.arrayBuffer();
          return response.headers.get('etag');
        }),
      );
      expect(new Set(etags).size).toBe(4);
    });
  });

  describe('GET frames of YBR_FULL in JPEG', () => {
    const full = pixelsOf({ samplesPerPixel: 3 });
    const red = new Uint8Array(16 * 16 * 3).map((_, at) => (at % 3 === 0 ? 200 : 40));

    it.each([
      inParts(octets),
      inParts(octets, syntaxes.explicit),
      inParts(octets, syntaxes.jpegLs),
      inParts('image/jphc', syntaxes.htj2k),
    ])('gives what the metadata says, as %s', async (accept) => {
      const { bytes } = await encodeFrame(
        { pixels: full, bytes: red },
        syntaxes.jpegBaseline as TransferSyntaxUID,
      );
      const one = sample({
        transferSyntaxUID: syntaxes.jpegBaseline,
        overrides: [
          element('00280002', 'US', 3),
          element('00280004', 'CS', 'YBR_FULL'),
          element('00280006', 'US', 0),
          element('00280100', 'US', 8),
          element('00280101', 'US', 8),
          element('00280102', 'US', 7),
        ],
        pixelData: { fragments: [Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)])] },
      });
      await client.store(one);
      const [metadata] = await client.json(`${pathOf(one)}/metadata`);
      expect(valueOf(metadata, '00280004')).toBe('YBR_FULL');
      const [part] = await client.parts(`${pathOf(one)}/frames/1`, accept);
      const syntax = /transfer-syntax=([\d.]+)/.exec(part?.headers['Content-Type'] ?? '')?.[1];
      // What a decoder makes of it by itself; the metadata says that this is YBR_FULL.
      const samples = await decodeFrame(
        part?.body ?? Buffer.of(),
        { ...full, photometricInterpretation: 'RGB' },
        syntax as TransferSyntaxUID,
        defaultPixelLimits,
      );
      const named = { ...samples.pixels, photometricInterpretation: 'YBR_FULL' };
      const shown = rgbOf({ ...samples, pixels: named }).subarray(0, 3);
      for (const [at, level] of [200, 40, 40].entries()) {
        expect(Math.abs((shown[at] ?? 0) - level)).toBeLessThan(4);
      }
    });
  });
});

// An answer that has begun ends as hosts can.
onEveryHost((client) => {
  describe('a frame that is damaged', () => {
    /** RLE whose header announces more segments than there can be. */
    const damaged = Buffer.alloc(64, 0xff);

    it('costs its request alone: 406 before the first byte', async () => {
      const one = sample({
        transferSyntaxUID: syntaxes.rle,
        overrides: [two],
        pixelData: { fragments: [damaged, damaged] },
      });
      await client.store(one);
      for (const [path, accept] of [
        [`${pathOf(one)}/frames/1`, octets],
        [`${pathOf(one)}/frames/1,2`, inParts(octets)],
        [pathOf(one), 'application/dicom'],
        [pathOf(one), inParts('application/dicom')],
        [pathOf({ study: one.study }), inParts('application/dicom')],
      ] as const) {
        await client.refusal(await client.get(path, accept), 406);
      }
      expect(await client.bytes(pathOf(one), dicom('*'))).toEqual(one.file);
    });

    it('ends an answer that has begun', async () => {
      const spec = await compressed(syntaxes.rle);
      const [good] =
        spec.pixelData && 'fragments' in spec.pixelData ? spec.pixelData.fragments : [];
      if (good === undefined) throw new Error('no fragments');
      const one = sample({ ...spec, pixelData: { fragments: [good, damaged] } });
      await client.store(one);
      for (const [path, accept] of [
        [pathOf(one), 'application/dicom'],
        [`${pathOf(one)}/frames/1,2`, inParts(octets)],
      ] as const) {
        const end = client.get(path, accept).then(
          async (answer) => {
            const length = (await answer.arrayBuffer()).byteLength;
            return `${answer.status}, ${length} bytes`;
          },
          (error: unknown) => String(error),
        );
        // Of so short an answer nothing may have arrived when its connection ends; the Functions host
        // then has an answer of its own.
        expect(await end.catch(String)).toMatch(/fetch failed|terminated|^500, 0 bytes$/);
      }
      const first = await client.bytes(`${pathOf(one)}/frames/1`, octets);
      expect(first).toEqual(frames[0]);
    });
  });
});
