import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../src/errors.js';
import { readMultipart } from '../../src/multipart/reader.js';
import { writeMultipart, type OutgoingPart } from '../../src/multipart/writer.js';
import { bytes, chunked, collect } from '../support/byte-streams.js';

/** Pieces that make near misses of a boundary likely. */
const fragment = fc.constantFrom(
  ...['\r', '\n', '\r\n', '-', '--', '--b', '\r\n--b', '--b-', 'b', ' ', '\t', ':', 'A: 1', 'x'],
);
const hostile = fc.array(fragment, { maxLength: 40 }).map((pieces) => pieces.join(''));
const chunking = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 12 });

type Outcome = { readonly parts: readonly string[]; readonly error?: string };

async function read(body: string, sizes: readonly number[]): Promise<Outcome> {
  const parts: string[] = [];
  try {
    for await (const part of readMultipart(chunked(bytes(body), sizes), 'b')) {
      const content = (await collect(part.body)).toString('latin1');
      parts.push(JSON.stringify([part.headers.entries, content]));
    }
    return { parts };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { parts, error: error.code };
  }
}

/** The oracle: the whole body as one string, split by one pattern. */
function split(body: string): Outcome {
  // A closing line may be cut off anywhere after its dashes.
  const line = /--b(--)?[ \t]*(\r?\n|\r?$)/y;
  const lineAt = (at: number) => {
    line.lastIndex = at;
    const found = line.exec(body);
    if (found === null || (found[1] === undefined && !found[2]?.endsWith('\n'))) return undefined;
    return { closes: found[1] !== undefined, end: line.lastIndex };
  };
  const find = (from: number, lead: string) => {
    for (let at = body.indexOf(lead, from); at >= 0; at = body.indexOf(lead, at + 1)) {
      const found = lineAt(at + lead.length);
      if (found !== undefined) return { at, ...found };
    }
    return undefined;
  };
  const parts: string[] = [];
  const wrong = { parts, error: 'invalid-multipart' };
  let boundary = lineAt(0) ?? find(0, '\n');
  if (boundary === undefined) return wrong;
  while (!boundary.closes) {
    const entries: [string, string][] = [];
    let at: number = boundary.end;
    for (;;) {
      const end = body.indexOf('\n', at);
      if (end < 0) return wrong;
      const text = body.slice(at, end).replace(/\r$/, '');
      at = end + 1;
      if (text === '') break;
      const last = entries.at(-1);
      if (last && /^[ \t]/.test(text)) {
        last[1] = `${last[1]} ${text.trim()}`.trim();
        continue;
      }
      const [name = '', ...value] = text.split(':');
      if (value.length === 0 || name.trim() === '') return wrong;
      entries.push([name.trim(), value.join(':').trim()]);
    }
    const empty = lineAt(at);
    const next: { at: number; closes: boolean; end: number } | undefined = empty
      ? { at, ...empty }
      : find(at, '\r\n');
    if (next === undefined) return wrong;
    parts.push(JSON.stringify([entries, body.slice(at, next.at)]));
    boundary = next;
  }
  return { parts };
}

async function* outgoing(contents: readonly string[]): AsyncGenerator<OutgoingPart> {
  for (const [index, content] of contents.entries()) {
    await Promise.resolve();
    yield { headers: [['X-Index', String(index)]], body: chunked(bytes(content), [index + 1]) };
  }
}

describe('multipart', () => {
  it('gives back any parts that were written, in any chunking', async () => {
    const binary = fc
      .uint8Array({ maxLength: 200 })
      .map((data) => Buffer.from(data).toString('latin1'));
    // A written part may hold anything but the boundary line itself.
    const content = fc.oneof(binary, hostile).filter((text) => !/(^|\r\n)--b/.test(text));
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 5 }), chunking, async (contents, sizes) => {
        const written = (await collect(writeMultipart(outgoing(contents), 'b'))).toString('latin1');
        const expected = contents.map((text, index) =>
          JSON.stringify([[['X-Index', String(index)]], text]),
        );
        expect(await read(written, sizes)).toEqual({ parts: expected });
      }),
      { numRuns: 300 },
    );
  });

  it('reads any body as a naive splitter of the whole body does', async () => {
    const opened = fc.tuple(fc.constantFrom('', '--b\r\n', '--b\r\n\r\n'), hostile);
    const body = fc.array(opened, { maxLength: 3 }).map((pieces) => pieces.flat().join(''));
    await fc.assert(
      fc.asyncProperty(
        body,
        fc.constantFrom('', '\r\n--b--', '\r\n--b--\r\n'),
        chunking,
        async (start, end, sizes) => {
          const actual = await read(start + end, sizes);
          const expected = split(start + end);
          expect(actual.error).toBe(expected.error);
          expect(actual.parts).toEqual(expected.parts);
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('ends on random bytes, with parts or a ServiceError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), chunking, async (data, sizes) => {
        const outcome = await read(Buffer.from(data).toString('latin1'), sizes);
        expect([undefined, 'invalid-multipart']).toContain(outcome.error);
      }),
    );
  });

  describe('work', () => {
    /** What reading a body takes: pieces handed out, searches in it, bytes moved. */
    async function workOn(body: string, size: number) {
      const { prototype } = Buffer as unknown as { prototype: Buffer };
      const copied = jest.spyOn(prototype, 'set');
      const joined = jest.spyOn(Buffer, 'concat');
      const searched = jest.spyOn(prototype, 'indexOf');
      let pieces = 0;
      try {
        for await (const part of readMultipart(chunked(bytes(body), [size]), 'b')) {
          for await (const piece of part.body) pieces += Math.min(piece.length, 1);
        }
        const moved = [
          ...copied.mock.calls.map(([from]) => from.length),
          ...joined.mock.calls.flatMap(([list]) => list.map(({ length }) => length)),
        ];
        const bytesMoved = moved.reduce((sum, length) => sum + length, 0);
        return { pieces, searches: searched.mock.calls.length, bytesMoved };
      } finally {
        copied.mockRestore();
        joined.mockRestore();
        searched.mockRestore();
      }
    }

    const [open, close] = ['--b\r\n\r\n', '\r\n--b--'];

    it('hands near misses of a boundary out with the data around them, in any chunking', async () => {
      const nearMiss = fc.constantFrom(
        '\r\n--bx',
        '\r\n--b-',
        '\r\n--b x',
        '\r\n-',
        '\r\n--b-\r\n',
        '\r',
      );
      const misses = fc.array(nearMiss, { minLength: 1, maxLength: 300 });
      await fc.assert(
        fc.asyncProperty(misses, fc.integer({ min: 1, max: 500 }), async (some, size) => {
          const body = `${open}${some.join('')}x${close}`;
          const { pieces, searches, bytesMoved } = await workOn(body, size);
          const chunks = Math.ceil(body.length / size);
          expect(pieces).toBeLessThanOrEqual(2 * chunks + 2);
          expect(searches).toBeLessThanOrEqual(4 * chunks + some.length + 8);
          expect(bytesMoved).toBeLessThanOrEqual(8 * body.length + 64);
        }),
        { numRuns: 60 },
      );
    });

    it.each([
      ['a megabyte of almost-boundaries', '\r\n--bx'.repeat(150_000), 65_536],
      ['white space behind a boundary, byte by byte', `\r\n--b${' '.repeat(15_000)}x`, 1],
    ])('grows as the body does: %s', async (_, data, size) => {
      const whole = await workOn(`${open}${data}${close}`, size);
      expect(whole.pieces).toBeLessThanOrEqual(2 * Math.ceil(data.length / size) + 2);
      expect(whole.bytesMoved).toBeLessThanOrEqual(4 * data.length + 65_536);
    });

    it('moves the bytes of a header block that comes byte by byte no more than four times', async () => {
      const body = `--b\r\nA: 1${'\r\n  x'.repeat(3_000)}\r\n\r\ndata${close}`;
      expect((await workOn(body, 1)).bytesMoved).toBeLessThanOrEqual(4 * body.length + 65_536);
    });
  });
});
