import { describe, expect, it } from '@jest/globals';
import {
  multipartLength,
  newBoundary,
  writeMultipart,
  type OutgoingPart,
} from '../../src/multipart/writer.js';
import { bytes, chunked, collect, watched } from '../support/byte-streams.js';

async function* parts(...given: OutgoingPart[]): AsyncGenerator<OutgoingPart> {
  for (const part of given) {
    await Promise.resolve();
    yield part;
  }
}

const headers = [
  ['Content-Type', 'application/dicom; transfer-syntax=1.2.840.10008.1.2.1'],
] as const;

describe('writeMultipart', () => {
  it('writes CRLF line ends, headers as given, and the closing boundary', async () => {
    const body = writeMultipart(
      parts(
        { headers: [...headers, ['content-location', '/studies/1']], body: bytes('one') },
        { headers: [], body: chunked(bytes('two'), [1]) },
      ),
      'b',
    );
    expect((await collect(body)).toString()).toBe(
      '--b\r\nContent-Type: application/dicom; transfer-syntax=1.2.840.10008.1.2.1\r\n' +
        'content-location: /studies/1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n',
    );
  });

  it('writes the closing boundary alone when there are no parts', async () => {
    expect((await collect(writeMultipart(parts(), 'b'))).toString()).toBe('--b--\r\n');
  });

  it('passes body chunks on without copying them', async () => {
    const body = Buffer.alloc(16);
    const written: Uint8Array[] = [];
    for await (const chunk of writeMultipart(parts({ headers, body }), 'b')) written.push(chunk);
    expect(written).toContain(body);
  });

  it('returns the body being written and the list of parts when its consumer stops', async () => {
    const body = watched([bytes('1'), bytes('2'), bytes('3')]);
    let listReturned = false;
    async function* list(): AsyncGenerator<OutgoingPart> {
      try {
        await Promise.resolve();
        yield { headers, body };
        yield { headers, body: bytes('never') };
      } finally {
        listReturned = true;
      }
    }
    const written: string[] = [];
    for await (const chunk of writeMultipart(list(), 'b')) {
      written.push(Buffer.from(chunk).toString());
      if (written.length === 2) break;
    }
    expect(written[1]).toBe('1');
    expect(body.pulled()).toBe(1);
    expect(body.returned()).toBe(true);
    expect(listReturned).toBe(true);
  });

  it.each([2, 4])('aborts when a body of 3 bytes was announced with %i', async (length) => {
    for (const body of [bytes('123'), chunked(bytes('123'))]) {
      const writing = collect(writeMultipart(parts({ headers, body, length }), 'b'));
      await expect(writing).rejects.toMatchObject({ code: 'storage-corrupt' });
    }
  });

  it.each([
    ['a line end', 'a\r\nSet-Cookie: x'],
    ['non-ASCII text', 'M\u00fcller'],
    ['more than viewers look through', 'x'.repeat(1000)],
  ])('refuses a header with %s', async (_what, value) => {
    const writing = collect(
      writeMultipart(parts({ headers: [['X', value]], body: bytes('') }), 'b'),
    );
    await expect(writing).rejects.toThrow(RangeError);
  });
});

describe('multipartLength', () => {
  it.each([0, 1, 2, 3])('equals what is written for %i parts', async (count) => {
    const given = Array.from({ length: count }, (_, index) => ({
      headers: index === 1 ? [] : headers,
      body: Buffer.alloc(index * 5),
      length: index * 5,
    }));
    const written = await collect(writeMultipart(parts(...given), 'boundary'));
    expect(multipartLength(given, 'boundary')).toBe(written.length);
  });
});

describe('newBoundary', () => {
  it('is new each time and needs no quotes', () => {
    expect(newBoundary()).not.toBe(newBoundary());
    expect(newBoundary()).toMatch(/^[\da-z-]{1,70}$/);
  });
});
