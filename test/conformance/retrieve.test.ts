/** Retrieve of instances (PS3.18 §10.4.1.1.1): what was stored, byte for byte, in every form asked. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  fresh,
  onEveryDeployment,
  pathOf,
  sample,
  type Client,
  type Sample,
} from '../support/conformance.js';
import { begin, readAll, responseOf } from '../support/http-client.js';
import { ramp, syntaxes, type SampleSpec } from '../support/part10-builder.js';

const asStored = 'multipart/related; type="application/dicom"; transfer-syntax=*';

const fragments = [Buffer.from([0xff, 0xd8, 1, 2, 0xff, 0xd9]), ramp(64)];

/** One file of each kind of encoding. */
const encodings: readonly (SampleSpec & { readonly name: string; readonly notForWeb?: true })[] = [
  { name: 'explicit VR little endian', transferSyntaxUID: syntaxes.explicit },
  { name: 'big endian', transferSyntaxUID: syntaxes.bigEndian, notForWeb: true },
  { name: 'deflated', transferSyntaxUID: syntaxes.deflated },
  {
    name: 'encapsulated',
    transferSyntaxUID: syntaxes.jpegBaseline,
    pixelData: { fragments },
  },
  { name: 'without pixel data', transferSyntaxUID: syntaxes.explicit, pixelData: null },
  { name: 'implicit VR little endian', transferSyntaxUID: syntaxes.implicit, notForWeb: true },
];

/** Stores files that a contract may warn of. */
async function storeAny(client: Client, ...samples: readonly Sample[]): Promise<void> {
  const response = await client.stow(samples.map(({ file }) => file));
  await response.arrayBuffer();
  expect([200, 202]).toContain(response.status);
}

/** Accept headers of clients that want the files of a study or series. */
const multipartAccepts = [
  asStored,
  'multipart/related; type="application/dicom"; transfer-syntax="*"',
  'multipart/related;type="application/dicom";transfer-syntax=*',
  'multipart/related; type=application/dicom; transfer-syntax=*',
  'multipart/related; type="application/dicom"',
  `multipart/related; type="application/dicom"; transfer-syntax=${syntaxes.explicit}`,
  'multipart/related; type="*/*"',
  'multipart/related',
  '*/*',
  'text/html, multipart/related; type="application/dicom"; transfer-syntax=*;q=0.5',
];

onEveryDeployment((client) => {
  /** For tests that only read. */
  const known = sample();

  beforeAll(async () => {
    await client.store(known);
  });

  describe('GET an instance', () => {
    it.each(encodings)('gives back a file that is $name, byte for byte', async (spec) => {
      const one = sample(spec);
      await storeAny(client, one);
      if (spec.notForWeb === true && !client.face.microsoft) return;
      const syntax = spec.transferSyntaxUID ?? '';

      const response = await client.get(pathOf(one), 'application/dicom; transfer-syntax=*');
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(
        `application/dicom; transfer-syntax=${syntax}`,
      );
      expect(Buffer.from(await response.arrayBuffer())).toEqual(one.file);

      const [part, ...others] = await client.parts(pathOf(one), asStored);
      expect(others).toEqual([]);
      expect(part?.headers['Content-Type']).toBe(`application/dicom; transfer-syntax=${syntax}`);
      expect(part?.body).toEqual(one.file);
    });

    it('zeroes the preamble and nothing else', async () => {
      const one = sample();
      const received = Buffer.concat([Buffer.alloc(128, 0x4d), one.file.subarray(128)]);
      await client.store({ ...one, file: received });
      expect(await client.bytes(pathOf(one), 'application/dicom; transfer-syntax=*')).toEqual(
        one.file,
      );
    });

    it.each(multipartAccepts)('answers in parts to %s', async (accept) => {
      const parts = await client.parts(pathOf(known), accept);
      expect(parts.map(({ body }) => body)).toEqual([known.file]);
    });

    it.each([
      'application/dicom; transfer-syntax="*"',
      'application/dicom;transfer-syntax=*',
      'application/dicom',
      'application/*',
    ])('answers with the file alone to %s', async (accept) => {
      expect(await client.bytes(pathOf(known), accept)).toEqual(known.file);
    });

    it('lets the accept parameter of the query override the header', async () => {
      const path = `${pathOf(known)}?accept=application%2Fdicom%3B%20transfer-syntax%3D*`;
      expect(await client.bytes(path, 'image/png')).toEqual(known.file);
    });

    it('answers 406 to another transfer syntax than it can give', async () => {
      const one = sample({ transferSyntaxUID: syntaxes.mpeg4, pixelData: { fragments } });
      await client.store(one);
      const accept = `application/dicom; transfer-syntax=${syntaxes.htj2k}`;
      const text = await client.refusal(await client.get(pathOf(one), accept), 406);
      expect(text).toContain(`transfer-syntax=${syntaxes.mpeg4}`);
    });
  });

  describe('GET a study or series', () => {
    it.each(multipartAccepts)('gives every instance, as it is stored, to %s', async (accept) => {
      const study = fresh();
      const first = sample({ study });
      const second = sample({ study, series: first.series });
      const third = sample({ study });
      await client.store(first, second, third);
      const files = async (path: string) =>
        (await client.parts(path, accept)).map(({ body }) => body.toString('base64')).sort();
      const expected = (...samples: readonly Sample[]) =>
        samples.map(({ file }) => file.toString('base64')).sort();
      expect(await files(pathOf({ study }))).toEqual(expected(first, second, third));
      expect(await files(pathOf({ study, series: first.series }))).toEqual(expected(first, second));
      expect(await files(pathOf({ study, series: third.series }))).toEqual(expected(third));
    });

    it('says of each part where and in which syntax it is', async () => {
      const study = fresh();
      const plain = sample({ study });
      const compressed = sample({
        study,
        series: plain.series,
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments },
      });
      await client.store(plain, compressed);
      const parts = await client.parts(pathOf({ study }), asStored);
      const described = parts.map(({ headers, body }) => ({ headers, body }));
      const expected = [plain, compressed].map((one, index) => ({
        headers: {
          'Content-Type': `application/dicom; transfer-syntax=${index === 0 ? syntaxes.explicit : syntaxes.jpegBaseline}`,
          'Content-Location': client.url(pathOf(one)),
        },
        body: one.file,
      }));
      expect(described).toHaveLength(2);
      expect(described).toEqual(expect.arrayContaining(expected));
    });

    it('names the media type of the parts', async () => {
      const response = await client.get(pathOf({ study: known.study }), asStored);
      await response.arrayBuffer();
      expect(response.headers.get('content-type')).toMatch(
        /^multipart\/related; type="application\/dicom"; boundary=[\w-]+$/,
      );
    });

    it('answers 406 when an instance cannot be had in the syntax that is asked for', async () => {
      const study = fresh();
      const video = sample({
        study,
        transferSyntaxUID: syntaxes.mpeg4,
        pixelData: { fragments },
      });
      await client.store(sample({ study }), video);
      const accept = `multipart/related; type="application/dicom"; transfer-syntax=${syntaxes.rle}`;
      const text = await client.refusal(await client.get(pathOf({ study }), accept), 406);
      expect(text).toMatch(/transfer syntax/);
    });

    it('answers 406 to a single part', async () => {
      for (const level of [{ study: known.study }, { study: known.study, series: known.series }]) {
        await client.refusal(await client.get(pathOf(level), 'application/dicom'), 406);
      }
    });
  });

  it.each([
    ['a study', ({ study }: Sample) => pathOf({ study: `${study}.1` })],
    ['a series', ({ study, series }: Sample) => pathOf({ study, series: `${series}.1` })],
    ['an instance', (one: Sample) => `${pathOf(one)}.1`],
    ['a series of another study', ({ series }: Sample) => pathOf({ study: fresh(), series })],
  ])('answers 404 for %s that is not there', async (_what, path) => {
    await client.refusal(await client.get(path(known), asStored), 404);
  });

  it('answers a client without an Accept header on every route', async () => {
    const { study, series } = known;
    const withoutAccept = async (path: string) => {
      const incoming = await responseOf(begin(client.url(path)).end());
      await readAll(incoming);
      return [incoming.statusCode, incoming.headers['content-type']?.split(';')[0]];
    };
    for (const level of [{ study }, { study, series }, known]) {
      expect(await withoutAccept(pathOf(level))).toEqual([200, 'multipart/related']);
      expect(await withoutAccept(`${pathOf(level)}/metadata`)).toEqual([
        200,
        'application/dicom+json',
      ]);
    }
    expect(await withoutAccept(`${pathOf(known)}/frames/1`)).toEqual([200, 'multipart/related']);
    expect(await withoutAccept(`/studies?StudyInstanceUID=${study}`)).toEqual([
      200,
      'application/dicom+json',
    ]);
  });
});
