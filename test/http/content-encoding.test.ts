import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { ServiceError } from '../../src/errors.js';
import {
  acceptsGzip,
  decodedBody,
  gzipBody,
  isCompressible,
} from '../../src/http/content-encoding.js';
import { chunked, collect, watched } from '../support/byte-streams.js';
import { reply } from '../../src/http/reply.js';
import { allBytes } from '../../src/storage/body.js';

describe('acceptsGzip', () => {
  it.each([
    ['gzip', true],
    ['gzip, deflate, br', true],
    ['br;q=1.0, gzip;q=0.8', true],
    ['*', true],
    ['identity', false],
    ['gzip;q=0', false],
    ['gzip;q=0.000, *', false],
    ['', false],
    [null, false],
  ])('reads %p as %p', (header, accepted) => {
    expect(acceptsGzip(header)).toBe(accepted);
  });
});

describe('isCompressible', () => {
  const body = 'x'.repeat(1024);

  it('leaves errors and small answers alone', () => {
    const headers = { 'Content-Type': 'application/json' };
    expect(isCompressible(reply(body.slice(1), { headers }))).toBe(false);
    expect(isCompressible(reply(body, { headers, status: 404 }))).toBe(false);
    expect(isCompressible(reply(null, { headers }))).toBe(false);
    expect(isCompressible(reply(chunked(Buffer.of()), { headers }))).toBe(true);
  });

  it.each([
    ['application/dicom+json', true],
    ['application/json; charset=utf-8', true],
    ['text/csv; charset=utf-8', true],
    ['text/javascript; charset=utf-8', true],
    ['multipart/related; type="application/dicom+xml"; boundary=b', true],
    ['multipart/related; type="application/dicom"; boundary=b', false],
    ['application/dicom', false],
    ['application/octet-stream', false],
  ])('says of %s: %p', (type, compressible) => {
    expect(isCompressible(reply(body, { headers: { 'Content-Type': type } }))).toBe(compressible);
  });

  it('leaves what is compressed already alone', () => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' };
    expect(isCompressible(reply(body, { headers }))).toBe(false);
  });

  it.each([
    ['bytes', false],
    ['none', true],
  ])('says of what comes in ranges of %s: %p', (unit, compressible) => {
    const headers = { 'Content-Type': 'application/json', 'Accept-Ranges': unit };
    expect(isCompressible(reply(body, { headers }))).toBe(compressible);
  });
});

describe('gzipBody', () => {
  const chunksOfGzip = async (source: AsyncIterable<Uint8Array>) => {
    const body = await gzipBody(source);
    if (body instanceof Uint8Array) throw new Error('The body has come as a whole');
    return body;
  };

  it('makes the same of bytes at hand as of a stream', async () => {
    const bytes = Buffer.from('{"00080005":{"vr":"CS"}}'.repeat(5000));
    const whole = await gzipBody(bytes);
    const streamed = await allBytes(await chunksOfGzip(chunked(bytes, [1000])));
    expect(Buffer.compare(whole as Uint8Array, streamed)).toBe(0);
  });

  it('compresses what streams through', async () => {
    async function* source() {
      await Promise.resolve();
      for (let part = 0; part < 100; part++) yield Buffer.from(`part ${part};`.repeat(100));
    }
    const compressed = await allBytes(await chunksOfGzip(source()));
    const text = gunzipSync(compressed).toString();
    expect(text.length).toBe(10 * 100 * 7 + 90 * 100 * 8);
    expect(text.startsWith('part 0;')).toBe(true);
    expect(compressed.length).toBeLessThan(8_000);
  });

  it('returns the source when the reader stops', async () => {
    let returned = false;
    async function* source() {
      try {
        for (;;) {
          await Promise.resolve();
          yield Buffer.alloc(65_536);
        }
      } finally {
        returned = true;
      }
    }
    const chunks = (await chunksOfGzip(source()))[Symbol.asyncIterator]();
    await chunks.next();
    await chunks.return?.();
    await new Promise((resolve) => setImmediate(resolve));
    expect(returned).toBe(true);
  });

  it('fails when the source fails', async () => {
    async function* source() {
      await Promise.resolve();
      yield Buffer.from('begun');
      throw new Error('storage went away');
    }
    await expect(allBytes(await chunksOfGzip(source()))).rejects.toThrow();
  });
});

describe('decodedBody', () => {
  const text = Buffer.from('a body '.repeat(1000));
  const decode = async (body: Uint8Array, header: string | null, maxBytes = 10_000) =>
    await collect(decodedBody(chunked(body, [7]), header, maxBytes));

  it.each([
    [null, text],
    ['', text],
    ['identity', text],
    ['gzip', gzipSync(text)],
    ['X-GZIP', gzipSync(text)],
    ['identity, gzip', gzipSync(text)],
  ])('decodes %p', async (header, body) => {
    expect(await decode(body, header)).toEqual(text);
  });

  it.each(['br', 'deflate', 'gzip, gzip', 'zstd'])('refuses %p before it is read', (header) => {
    const source = watched([text]);
    expect(() => decodedBody(source, header, 10_000)).toThrow(
      expect.objectContaining({ code: 'unsupported-media-type' }),
    );
    expect(source.pulled()).toBe(0);
  });

  it('stops at the limit of inflated bytes', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    await expect(decode(bomb, 'gzip')).rejects.toMatchObject({
      code: 'payload-too-large',
      facts: { limitValue: 10_000 },
    });
  });

  it.each([
    ['is none', text],
    ['is cut off', gzipSync(text).subarray(0, 40)],
  ])('tells of gzip that %s', async (_, body) => {
    await expect(decode(body, 'gzip')).rejects.toMatchObject({ code: 'invalid-header' });
  });

  it('passes on why the body ended', async () => {
    const gone = new ServiceError('client-aborted', 'Gone.');
    const source = watched([gzipSync(text).subarray(0, 20)], gone);
    await expect(collect(decodedBody(source, 'gzip', 10_000))).rejects.toBe(gone);
  });
});
