/** Retrieve of bulk data (PS3.18 §10.4.1.1.5, CP-2040): by path, in ranges, and all of a resource. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  fresh,
  onEveryDeployment,
  pathOf,
  sample,
  type Json,
  type Sample,
} from '../support/conformance.js';
import {
  binary,
  element,
  ramp,
  sequence,
  syntaxes,
  type ElementSpec,
} from '../support/part10-builder.js';

const inParts = 'multipart/related; type="application/octet-stream"';
const asStored = `${inParts}; transfer-syntax=*`;
const octetStream = 'application/octet-stream';

const words = ramp(1000);
/** The same words in the other order of bytes. */
const swapped = Buffer.from(words).swap16();
const doubles = ramp(800);
const swappedDoubles = Buffer.from(doubles).swap64();

/** Bulk values as they stand in a file; `big` turns those of more than a byte round. */
function bulkElements(big: boolean): readonly ElementSpec[] {
  return [
    binary('00091011', 'OB', ramp(301)),
    sequence('54000100', [
      [binary('54001010', 'OB', ramp(400))],
      [
        sequence('0040A730', [[binary('00091021', 'OW', big ? swapped : words)]]),
        binary('00091022', 'OD', big ? swappedDoubles : doubles),
      ],
    ]),
    binary('00091012', 'UN', Buffer.alloc(258, 7)),
  ];
}

const expected: Readonly<Record<string, Buffer>> = {
  '00091011': ramp(301),
  '00091012': Buffer.alloc(258, 7),
  '54000100/0/54001010': ramp(400),
  '54000100/1/0040A730/0/00091021': words,
  '54000100/1/00091022': doubles,
};

const fragments = [
  Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 1]), ramp(20)]),
  Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 2]), ramp(40)]),
  Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 3]), ramp(30)]),
] as const;

/** Every BulkDataURI of a data set, at any depth. */
function bulkUris(dataSet: Json): readonly string[] {
  return [...JSON.stringify(dataSet).matchAll(/"BulkDataURI":"([^"]+)"/g)].map(
    ([, uri = '']) => uri,
  );
}

/** A file whose odd lengths a reader has to bear. */
function bulkSample(transferSyntaxUID: string): Sample {
  const overrides = bulkElements(transferSyntaxUID === syntaxes.bigEndian);
  const native = transferSyntaxUID === syntaxes.bigEndian ? ramp(512).swap16() : ramp(512);
  return sample({ transferSyntaxUID, overrides, pixelData: { native } });
}

onEveryDeployment((client) => {
  const { microsoft } = client.face;

  it('gives the bulk data of instances to those who take bytes (PS3.18 table 10.4.4-1)', async () => {
    const one = bulkSample(syntaxes.explicit);
    await client.store(one);
    const { study, series } = one;
    for (const level of [{ study }, { study, series }, one]) {
      if (microsoft) {
        await client.refusal(await client.get(pathOf(level), inParts), 406);
        continue;
      }
      const parts = await client.parts(pathOf(level), inParts);
      expect(parts).toEqual(await client.parts(`${pathOf(level)}/bulkdata`, inParts));
      expect(parts.length).toBeGreaterThan(3);
    }
    const files = await client.parts(
      pathOf(one),
      `${inParts};q=0.5, multipart/related; type="application/dicom"`,
    );
    expect(files.map(({ body }) => body)).toEqual([one.file]);
  });

  describe.each([
    ['explicit', syntaxes.explicit],
    ['implicit', syntaxes.implicit],
    ['big endian', syntaxes.bigEndian],
    ['deflated', syntaxes.deflated],
  ])('GET a bulk value of a file that is %s', (_name, syntax) => {
    const one = bulkSample(syntax);
    const url = (path: string) => `${pathOf(one)}/bulkdata/${path}`;

    beforeAll(async () => {
      await client.storeAny(one);
    });

    it('gives every value in little-endian order, alone and in parts', async () => {
      for (const [path, bytes] of Object.entries({ ...expected, '7FE00010': ramp(512) })) {
        const response = await client.get(url(path), octetStream);
        expect(response.headers.get('content-type')).toBe(octetStream);
        expect(response.headers.get('content-length')).toBe(String(bytes.length));
        expect(response.headers.get('accept-ranges')).toBe('bytes');
        expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
        const parts = await client.parts(url(path), inParts);
        expect(parts).toEqual([
          {
            headers: { 'Content-Type': octetStream, 'Content-Location': client.url(url(path)) },
            body: bytes,
          },
        ]);
      }
    });

    it('gives ranges', async () => {
      const path = '54000100/1/0040A730/0/00091021';
      for (const [range, start, end] of [
        ['bytes=0-0', 0, 1],
        ['bytes=1-6', 1, 7],
        ['bytes=333-', 333, 1000],
        ['bytes=-7', 993, 1000],
        ['bytes=998-5000', 998, 1000],
      ] as const) {
        const headers = { Accept: octetStream, Range: range };
        const response = await client.send('GET', url(path), { headers });
        expect(response.status).toBe(206);
        expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/1000`);
        expect(response.headers.get('content-length')).toBe(String(end - start));
        expect(Buffer.from(await response.arrayBuffer())).toEqual(words.subarray(start, end));
      }
      const beyond = { Accept: octetStream, Range: 'bytes=1000-' };
      const refused = await client.send('GET', url(path), { headers: beyond });
      expect(refused.headers.get('content-range')).toBe('bytes */1000');
      await client.refusal(refused, 416);
    });
  });

  describe('GET a bulk value', () => {
    const one = bulkSample(syntaxes.explicit);
    const url = (path: string) => `${pathOf(one)}/bulkdata/${path}`;

    beforeAll(async () => {
      await client.store(one);
    });

    it('is what the metadata points to', async () => {
      const [dataSet = {}] = await client.json(`${pathOf(one)}/metadata`);
      const uris = bulkUris(dataSet);
      const paths = [...Object.keys(expected), '7FE00010'];
      expect(uris.toSorted()).toEqual(
        microsoft ? [] : paths.map((path) => client.url(url(path))).toSorted(),
      );
      for (const uri of uris) {
        const response = await fetch(uri);
        expect(response.status).toBe(200);
        expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(256);
      }
    });

    it.each([
      [inParts, true],
      ['multipart/related; type=application/octet-stream; transfer-syntax=*', true],
      ['multipart/related; type="*/*"', true],
      ['application/pdf, multipart/related; type="application/octet-stream"', true],
      ['application/octet-stream', false],
      ['*/*', false],
      [undefined, false],
    ])('answers a client that accepts %s', async (accept, multipart) => {
      const response = await client.get(url('00091011'), accept);
      await response.arrayBuffer();
      expect(response.status).toBe(200);
      const type = response.headers.get('content-type') ?? '';
      expect(type.startsWith('multipart/related; type="application/octet-stream"')).toBe(multipart);
    });

    it('spares a client what it has', async () => {
      const response = await client.get(url('00091011'), octetStream);
      await response.arrayBuffer();
      const etag = response.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[^"]+"$/);
      expect(response.headers.get('cache-control')).toMatch(/private/);
      const headers = { Accept: octetStream, 'If-None-Match': etag };
      const again = await client.send('GET', url('00091011'), { headers });
      expect(again.status).toBe(304);
      const resume = { Accept: octetStream, Range: 'bytes=300-', 'If-Range': etag };
      const rest = await client.send('GET', url('00091011'), { headers: resume });
      expect([rest.status, (await rest.arrayBuffer()).byteLength]).toEqual([206, 1]);
      const stale = { ...resume, 'If-Range': '"other"' };
      const whole = await client.send('GET', url('00091011'), { headers: stale });
      expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, 301]);
    });

    it.each(['0009101', '00091011/0', '00091011/x/00091011', 'PixelData', '00091011/-1/00091011'])(
      'refuses the path %s',
      async (path) => {
        await client.refusal(await client.get(url(path)), 400);
      },
    );

    it.each(['00091099', '00100010', '54000100', '54000100/7/54001010', '54000100/0/54001011'])(
      'answers 404 for the path %s, where there is no bulk value',
      async (path) => {
        await client.refusal(await client.get(url(path)), 404);
      },
    );

    it('answers 404 for an instance that is not there, and 406 with what there is', async () => {
      const gone = pathOf({ ...one, instance: fresh() });
      // What no value comes in is told before its instance is looked for.
      await client.refusal(await client.get(`${gone}/bulkdata/7FE00010`, 'image/png'), 406);
      await client.refusal(await client.get(`${gone}/bulkdata/7FE00010`), 404);
      const text = await client.refusal(await client.get(url('00091011'), 'image/png'), 406);
      expect(text).toContain('application/octet-stream');
    });

    it('may have its tags in small letters', async () => {
      expect(await client.bytes(url('7fe00010'), octetStream)).toEqual(ramp(512));
    });
  });

  describe('GET a document', () => {
    const document = Buffer.concat([Buffer.from('%PDF-1.4\n'), ramp(999)]);
    const of = (type: string) =>
      sample({
        pixelData: null,
        overrides: [binary('00420011', 'OB', document), element('00420012', 'LO', type)],
      });

    it('comes in its own type, or as bytes', async () => {
      const one = of('application/pdf');
      await client.store(one);
      const url = `${pathOf(one)}/bulkdata/00420011`;
      for (const [accept, type] of [
        ['application/pdf', 'application/pdf'],
        ['*/*', 'application/pdf'],
        ['multipart/related; type="application/octet-stream", application/pdf;q=0.9', inParts],
        ['application/octet-stream', 'application/octet-stream'],
      ] as const) {
        const response = await client.get(url, accept);
        const body = Buffer.from(await response.arrayBuffer());
        expect(response.headers.get('content-type')?.slice(0, type.length)).toBe(type);
        if (type !== inParts) expect(body).toEqual(document);
      }
    });

    it('is named in metadata, whence viewers load it; not under v1', async () => {
      const one = of('application/pdf');
      await client.store(one);
      const [metadata] = await client.json(`${pathOf(one)}/metadata`);
      const uri = client.url(`${pathOf(one)}/bulkdata/00420011`);
      expect(metadata?.['00420011']).toEqual(
        client.face.name === 'v1' ? undefined : { vr: 'OB', BulkDataURI: uri },
      );
      if (client.face.name === 'v1') return;
      const accept = 'multipart/related; type="application/octet-stream"';
      expect(await client.parts(uri.slice(client.url('').length), accept)).toMatchObject([
        { body: document },
      ]);
    });

    it('runs no scripts of a document that is a page', async () => {
      const one = of('text/html');
      await client.store(one);
      const response = await client.get(`${pathOf(one)}/bulkdata/00420011`, 'text/html');
      await response.arrayBuffer();
      expect(response.headers.get('content-type')).toBe('text/html');
      expect(response.headers.get('content-security-policy')).toMatch(/^sandbox(;|$)/);
    });
  });

  describe('GET compressed pixel data', () => {
    it('is a part for each frame', async () => {
      const one = sample({
        overrides: [element('00280008', 'IS', '3')],
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments },
      });
      await client.store(one);
      const url = `${pathOf(one)}/bulkdata/7FE00010`;
      for (const [accept, type] of [
        [asStored, microsoft ? octetStream : 'image/jpeg'],
        ['multipart/related; type="image/jpeg"', 'image/jpeg'],
        ['*/*', 'image/jpeg'],
      ] as const) {
        expect(await client.parts(url, accept)).toEqual(
          fragments.map((body, index) => ({
            headers: {
              'Content-Type': `${type}; transfer-syntax=${syntaxes.jpegBaseline}`,
              'Content-Location': client.url(`${pathOf(one)}/frames/${index + 1}`),
            },
            body,
          })),
        );
      }
      // It is no JPEG, so that it cannot be decoded.
      await client.refusal(await client.get(url, octetStream), 406);
      await client.refusal(await client.get(url, inParts), 406);
    });

    it('is one stream when it is a video, with ranges across its fragments', async () => {
      const one = sample({
        overrides: [element('00280008', 'IS', '500')],
        transferSyntaxUID: syntaxes.mpeg4,
        pixelData: { fragments },
      });
      await client.store(one);
      const url = `${pathOf(one)}/bulkdata/7FE00010`;
      const video = Buffer.concat(fragments);
      expect(await client.bytes(url, 'video/mp4')).toEqual(video);
      const range = await client.send('GET', url, { headers: { Range: 'bytes=10-59' } });
      expect(range.status).toBe(206);
      expect(range.headers.get('content-type')).toBe(
        `video/mp4; transfer-syntax=${syntaxes.mpeg4}`,
      );
      expect(Buffer.from(await range.arrayBuffer())).toEqual(video.subarray(10, 60));
    });

    it('of an icon is its fragments in one piece', async () => {
      const item = (bytes: Buffer) =>
        Buffer.concat([Buffer.from([0xfe, 0xff, 0x00, 0xe0, bytes.length, 0, 0, 0]), bytes]);
      const value = Buffer.concat([
        item(Buffer.alloc(4)),
        item(fragments[0]),
        item(fragments[1]),
        Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
      ]);
      const icon = { ...binary('7FE00010', 'OB', value), declaredLength: 0xffffffff };
      const one = sample({
        overrides: [sequence('00880200', [[icon]], 'undefined')],
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: [fragments[2]] },
      });
      await client.store(one);
      const url = `${pathOf(one)}/bulkdata/00880200/0/7FE00010`;
      const bytes = Buffer.concat([fragments[0], fragments[1]]);
      expect(await client.bytes(url, octetStream)).toEqual(bytes);
      const [part] = await client.parts(url, inParts);
      expect(part?.body).toEqual(bytes);
    });
  });

  describe('GET all bulk data and all pixel data', () => {
    const study = fresh();
    const first = sample({
      study,
      overrides: [...bulkElements(false), element('00280008', 'IS', '2')],
      pixelData: { native: Buffer.concat([ramp(512), Buffer.alloc(512, 9)]) },
    });
    const second = sample({
      study,
      series: first.series,
      overrides: [element('00280008', 'IS', '3')],
      transferSyntaxUID: syntaxes.jpegBaseline,
      pixelData: { fragments },
    });
    const bare = sample({ study, pixelData: null });
    const frame = ({ instance }: Sample, number: number) =>
      client.url(`${pathOf({ ...first, instance })}/frames/${number}`);
    const located = async (path: string) => {
      const parts = await client.parts(path, asStored);
      return Object.fromEntries(
        parts.map(({ headers, body }) => [headers['Content-Location'] ?? '', body]),
      );
    };
    const framesOfFirst = () => ({
      [frame(first, 1)]: ramp(512),
      [frame(first, 2)]: Buffer.alloc(512, 9),
    });
    const framesOfSecond = () =>
      Object.fromEntries(fragments.map((bytes, index) => [frame(second, index + 1), bytes]));

    beforeAll(async () => {
      await client.store(first, second, bare);
    });

    it('gives every value with its place', async () => {
      const values = Object.fromEntries(
        Object.entries({
          ...expected,
          '7FE00010': Buffer.concat([ramp(512), Buffer.alloc(512, 9)]),
        }).map(([path, bytes]) => [client.url(`${pathOf(first)}/bulkdata/${path}`), bytes]),
      );
      expect(await located(`${pathOf(first)}/bulkdata`)).toEqual(values);
      const all = { ...values, ...framesOfSecond() };
      expect(await located(`${pathOf({ study, series: first.series })}/bulkdata`)).toEqual(all);
      expect(await located(`${pathOf({ study })}/bulkdata`)).toEqual(all);
    });

    it('gives every frame with its place', async () => {
      expect(await located(`${pathOf(first)}/pixeldata`)).toEqual(framesOfFirst());
      const all = { ...framesOfFirst(), ...framesOfSecond() };
      expect(await located(`${pathOf({ study, series: first.series })}/pixeldata`)).toEqual(all);
      expect(await located(`${pathOf({ study })}/pixeldata`)).toEqual(all);
      const [part] = await client.parts(`${pathOf(second)}/pixeldata`, '*/*');
      expect(part?.headers['Content-Type']).toBe(
        `image/jpeg; transfer-syntax=${syntaxes.jpegBaseline}`,
      );
    });

    it('answers 304 to those who have it, and the same bytes twice to others', async () => {
      const series = pathOf({ study, series: first.series });
      const resources = [pathOf(first), series, pathOf({ study })].flatMap((path) => [
        `${path}/bulkdata`,
        `${path}/pixeldata`,
      ]);
      const tags = new Set<string>();
      for (const path of [...resources, `${pathOf(first)}/bulkdata/7FE00010`]) {
        const [one, other] = [await client.get(path, asStored), await client.get(path, asStored)];
        expect(Buffer.from(await one.arrayBuffer())).toEqual(
          Buffer.from(await other.arrayBuffer()),
        );
        const etag = one.headers.get('etag') ?? '';
        expect(etag).toMatch(/^"[^"]+"$/);
        expect(other.headers.get('etag')).toBe(etag);
        tags.add(etag);
        const headers = { Accept: asStored, 'If-None-Match': etag };
        const kept = await client.send('GET', path, { headers });
        expect([kept.status, await kept.text()]).toEqual([304, '']);
        expect(kept.headers.get('etag')).toBe(etag);
      }
      // Tags tell representations of one resource apart; a study of one series may share its own.
      expect(tags.size).toBeGreaterThanOrEqual(5);
    });

    it('has another tag after a change', async () => {
      const one = sample();
      await client.store(one);
      const path = `${pathOf({ study: one.study })}/pixeldata`;
      const before = await client.get(path, inParts);
      await before.arrayBuffer();
      await client.store(sample({ study: one.study, series: one.series }));
      const headers = { Accept: inParts, 'If-None-Match': before.headers.get('etag') ?? '' };
      const after = await client.send('GET', path, { headers });
      await after.arrayBuffer();
      expect(after.status).toBe(200);
    });

    it('answers 404 where there is nothing', async () => {
      for (const path of [
        pathOf(bare),
        pathOf({ study, series: bare.series }),
        pathOf({ study: fresh() }),
        pathOf({ study, series: fresh() }),
        pathOf({ ...first, instance: fresh() }),
      ]) {
        await client.refusal(await client.get(`${path}/bulkdata`), 404);
        await client.refusal(await client.get(`${path}/pixeldata`), 404);
      }
      await client.refusal(await client.get(`${pathOf(first)}/bulkdata`, 'image/png'), 406);
      await client.refusal(await client.get('/studies/x/bulkdata'), 400);
    });
  });
});
