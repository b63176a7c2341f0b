import { describe, expect, it } from '@jest/globals';
import { readMultipart, type MultipartLimits, type Part } from '../../src/multipart/reader.js';
import { bytes, chunked, collect, watched } from '../support/byte-streams.js';

const chunkings: readonly (readonly number[])[] = [[], [1], [2], [3], [7], [1, 40, 2], [61, 5]];

interface ReadPart {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

async function read(body: string, boundary = 'b', sizes: readonly number[] = []) {
  const parts: ReadPart[] = [];
  for await (const part of readMultipart(chunked(bytes(body), sizes), boundary)) {
    parts.push({
      headers: part.headers.entries,
      body: (await collect(part.body)).toString('latin1'),
    });
  }
  return parts;
}

async function drain(body: string, limits: MultipartLimits = {}): Promise<void> {
  for await (const part of readMultipart(chunked(bytes(body)), 'b', limits)) {
    await collect(part.body);
  }
}

const dicom: readonly (readonly [string, string])[] = [['Content-Type', 'application/dicom']];

describe('readMultipart', () => {
  describe.each(chunkings.map((sizes) => ({ sizes })))('in chunks of $sizes', ({ sizes }) => {
    it.each<[what: string, body: string, boundary: string, parts: ReadPart[]]>([
      [
        'a plain body',
        '--b\r\nContent-Type: application/dicom\r\n\r\none\r\n--b\r\nContent-Type: application/dicom\r\n\r\ntwo\r\n--b--\r\n',
        'b',
        [
          { headers: dicom, body: 'one' },
          { headers: dicom, body: 'two' },
        ],
      ],
      [
        'dicomweb-client JS: CRLF first, nothing behind the last boundary',
        '\r\n--0f3c-guid\r\nContent-Type: application/dicom\r\n\r\nDICM\r\n--0f3c-guid--',
        '0f3c-guid',
        [{ headers: dicom, body: 'DICM' }],
      ],
      [
        'a preamble and an epilogue',
        'ignore --b me\r\n--bx\r\n--b\r\n\r\ndata\r\n--b--\r\nignore\r\n--b\r\nme too',
        'b',
        [{ headers: [], body: 'data' }],
      ],
      [
        'a preamble that is one LF',
        '\n--b\r\n\r\ndata\r\n--b--',
        'b',
        [{ headers: [], body: 'data' }],
      ],
      [
        'white space behind boundaries',
        '--b \t\r\n\r\ndata\r\n--b\t\r\n\r\nmore\r\n--b-- \t ',
        'b',
        [
          { headers: [], body: 'data' },
          { headers: [], body: 'more' },
        ],
      ],
      [
        'LF line ends in headers and behind boundaries',
        '--b\nContent-Type: application/dicom\n\none\ntwo\r\n--b--\n',
        'b',
        [{ headers: dicom, body: 'one\ntwo' }],
      ],
      ['a header-less empty part', '--b\r\n\r\n--b--\r\n', 'b', [{ headers: [], body: '' }]],
      [
        'an empty part with its own line end, as .NET writes it',
        '--b\r\nContent-Type: application/dicom\r\n\r\n\r\n--b--\r\n',
        'b',
        [{ headers: dicom, body: '' }],
      ],
      [
        'an empty part that shares its line end with the boundary',
        '--b\r\nContent-Type: application/dicom\r\n\r\n--b--\r\n',
        'b',
        [{ headers: dicom, body: '' }],
      ],
      ['no parts', '--b--\r\n', 'b', []],
      ['no parts and no line end', '\r\n--b--', 'b', []],
      [
        'boundary look-alikes in data',
        '--b\r\n\r\n--bx\r\n--bb\r\n--b-\r\n--b--x\r\n--b \tx\r\n--b\rx\r\n\r\n--B\r\n--\r\n\r--b\n--b\r\nend\r\n--b--',
        'b',
        [
          {
            headers: [],
            body: '--bx\r\n--bb\r\n--b-\r\n--b--x\r\n--b \tx\r\n--b\rx\r\n\r\n--B\r\n--\r\n\r--b\n--b\r\nend',
          },
        ],
      ],
      [
        'line ends that belong to the data',
        '--b\r\n\r\n\r\n\r\ndata\r\n\r\r\n--b--',
        'b',
        [{ headers: [], body: '\r\n\r\ndata\r\n\r' }],
      ],
      [
        'a boundary of many dashes',
        '------x\r\n\r\n--\r\n-----\r\n------x--',
        '----x',
        [{ headers: [], body: '--\r\n-----' }],
      ],
      [
        'folded, repeated and tightly written headers',
        '--b\r\nContent-Type:application/dicom;\r\n transfer-syntax=1.2\r\nX: 1\r\nX: 2\r\nEmpty:\r\n\r\nd\r\n--b--',
        'b',
        [
          {
            headers: [
              ['Content-Type', 'application/dicom; transfer-syntax=1.2'],
              ['X', '1'],
              ['X', '2'],
              ['Empty', ''],
            ],
            body: 'd',
          },
        ],
      ],
    ])('reads %s', async (_what, body, boundary, parts) => {
      expect(await read(body, boundary, sizes)).toEqual(parts);
    });

    it.each<[what: string, body: string, message: RegExp, offset: number]>([
      ['an empty body', '', /no boundary line/, 0],
      ['a body without boundary', 'DICM\r\n--c\r\n', /no boundary line/, 11],
      ['a body that ends after the first boundary', '--b\r\n', /inside the headers of part 1/, 5],
      ['a body that ends inside headers', '--b\r\nA: b\r\n', /inside the headers of part 1/, 11],
      ['a body that ends inside a part', '--b\r\n\r\ndata', /inside part 1/, 11],
      ['a body that ends inside the last boundary', '--b\r\n\r\ndata\r\n--b-', /inside part 1/, 17],
      [
        'a body that ends inside its second part',
        '--b\r\n\r\n1\r\n--b\r\n\r\n2',
        /inside part 2/,
        18,
      ],
      ['a LF alone before the last boundary', '--b\n\ndata\n--b--\n', /inside part 1/, 16],
      [
        'a header without colon',
        '--b\r\nA: b\r\nnonsense\r\n\r\n',
        /part 1 has a header line/i,
        11,
      ],
      ['a header without name', '--b\r\n: b\r\n\r\n', /part 1 has a header line/i, 5],
    ])('refuses %s', async (_what, body, message, offset) => {
      const reading = read(body, 'b', sizes);
      await expect(reading).rejects.toMatchObject({
        name: 'ServiceError',
        code: 'invalid-multipart',
        message: expect.stringMatching(message),
        facts: { offset },
      });
    });
  });

  it('finds a header whatever the case of its name, and the first of several', async () => {
    for await (const { headers } of readMultipart(
      chunked(bytes('--b\r\ncontent-TYPE: one\r\nContent-Type: two\r\n\r\n\r\n--b--')),
      'b',
    )) {
      expect(headers.get('Content-Type')).toBe('one');
      expect(headers.get('Content-Location')).toBeUndefined();
    }
  });

  it('numbers parts from 0', async () => {
    const numbers: number[] = [];
    for await (const { index } of readMultipart(
      chunked(bytes('--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--')),
      'b',
    )) {
      numbers.push(index);
    }
    expect(numbers).toEqual([0, 1]);
  });

  it('skips what was not read of a part', async () => {
    const body = bytes('--b\r\n\r\nfirst part\r\n--b\r\n\r\nsecond\r\n--b\r\n\r\nthird\r\n--b--');
    const seen: string[] = [];
    for await (const part of readMultipart(chunked(body, [4]), 'b')) {
      if (part.index === 0) {
        for await (const chunk of part.body) {
          seen.push(Buffer.from(chunk).toString());
          break;
        }
      }
      if (part.index === 2) seen.push((await collect(part.body)).toString());
    }
    expect(seen).toEqual(['f', 'third']);
  });

  it('refuses to read a part after the next was asked for', async () => {
    const parts: Part[] = [];
    for await (const part of readMultipart(chunked(bytes('--b\r\n\r\n1\r\n--b--')), 'b')) {
      parts.push(part);
    }
    const [part] = parts;
    expect(part).toBeDefined();
    if (part) await expect(collect(part.body)).rejects.toThrow('after the next had been asked for');
  });

  it('passes file bytes on as views of the chunks they came in', async () => {
    const chunk = Buffer.alloc(4096, 7);
    const source = watched([bytes('--b\r\n\r\n'), chunk, bytes('\r\n--b--')]);
    const out: Uint8Array[] = [];
    for await (const part of readMultipart(source, 'b')) {
      for await (const piece of part.body) out.push(piece);
    }
    expect(out).toHaveLength(1);
    expect(out[0]?.buffer).toBe(chunk.buffer);
    expect(out[0]?.byteOffset).toBe(chunk.byteOffset);
  });

  it('pulls no further than the bytes that were asked for', async () => {
    const source = watched([bytes('--b\r\n\r\n'), bytes('1'), bytes('2'), bytes('\r\n--b--')]);
    const parts = readMultipart(source, 'b');
    const first = await parts.next();
    expect(source.pulled()).toBe(1);
    if (first.done) throw new Error('no part');
    const body = first.value.body[Symbol.asyncIterator]();
    await body.next();
    expect(source.pulled()).toBe(2);
    await body.next();
    expect(source.pulled()).toBe(3);
  });

  it('returns the source when the loop is left', async () => {
    const source = watched([bytes('--b\r\n\r\n1'), bytes('2')]);
    for await (const part of readMultipart(source, 'b')) {
      expect(part.index).toBe(0);
      break;
    }
    expect(source.returned()).toBe(true);
  });

  it('returns the source when the body is malformed', async () => {
    const source = watched([bytes('--b\r\nnonsense\r\n'), bytes('2')]);
    await expect(readMultipart(source, 'b').next()).rejects.toThrow('header line');
    expect(source.returned()).toBe(true);
  });

  it('reads the epilogue to the end instead of cancelling it', async () => {
    const source = watched([bytes('--b--\r\n'), bytes('more'), bytes('and more')]);
    expect(await readMultipart(source, 'b').next()).toMatchObject({ done: true });
    expect(source.pulled()).toBe(4);
    expect(source.returned()).toBe(false);
  });

  it('tells the failure of the source to the part, and again to who asks for the next', async () => {
    const failure = new Error('connection reset');
    const source = watched([bytes('--b\r\n\r\n1')], failure);
    const parts = readMultipart(source, 'b');
    const first = await parts.next();
    if (first.done) throw new Error('no part');
    await expect(collect(first.value.body)).rejects.toBe(failure);
    await expect(parts.next()).rejects.toBe(failure);
    expect(source.returned()).toBe(false);
  });

  it('refuses more parts than the limit', async () => {
    const body = '--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--';
    await expect(drain(body, { maxParts: 2 })).resolves.toBeUndefined();
    await expect(drain(body, { maxParts: 1 })).rejects.toMatchObject({
      code: 'too-many-parts',
      facts: { limit: 'maxParts', limitValue: 1 },
    });
  });

  it('refuses a header block beyond the limit, with or without line ends in it', async () => {
    const limits = { maxHeaderBytes: 20 };
    await expect(drain('--b\r\nA: 34567890\r\n\r\n1\r\n--b--', limits)).resolves.toBeUndefined();
    for (const headers of ['A: 3\r\nB: 9\r\nC: 34567890\r\n\r\n', 'A'.repeat(40)]) {
      await expect(drain(`--b\r\n${headers}1\r\n--b--`, limits)).rejects.toMatchObject({
        code: 'invalid-multipart',
        facts: { limit: 'maxHeaderBytes', limitValue: 20, offset: 5 },
      });
    }
  });

  it('takes endless white space behind a boundary for data', async () => {
    const data = `x\r\n--b${' '.repeat(200)}y`;
    const parts: string[] = [];
    const body = chunked(bytes(`--b\r\n\r\n${data}\r\n--b--`), [5]);
    for await (const part of readMultipart(body, 'b', { maxHeaderBytes: 50 })) {
      parts.push((await collect(part.body)).toString());
    }
    expect(parts).toEqual([data]);
  });

  it.each(['', 'a\r\nb', 'x'.repeat(300), '\u{1F600}'])(
    'refuses the boundary %j',
    async (boundary) => {
      await expect(read('--b--', boundary)).rejects.toMatchObject({ code: 'invalid-multipart' });
    },
  );
});
