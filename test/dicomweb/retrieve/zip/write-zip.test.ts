import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { writeZip, type ZipEntry } from '../../../../src/dicomweb/retrieve/zip/write-zip.js';
import { listed } from '../../../../src/dicomweb/read-ahead.js';
import { chunksOf } from '../../../support/part10-builder.js';
import { listZip, readZip } from '../../../support/zip.js';
import { isNightly } from '../../../support/nightly.js';

const modified = new Date('2024-02-29T10:15:30Z');

function entry(name: string, chunks: readonly Uint8Array[], length?: number): ZipEntry {
  const body = listed(...chunks);
  return { name, modified, body, ...(length !== undefined && { length }) };
}

async function* oneByOne(entries: readonly ZipEntry[]): AsyncGenerator<ZipEntry> {
  for (const one of entries) yield await Promise.resolve(one);
}

async function archiveOf(...entries: readonly ZipEntry[]): Promise<Buffer> {
  return await gathered(oneByOne(entries));
}

async function gathered(entries: AsyncIterable<ZipEntry>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeZip(entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('writeZip', () => {
  it('gives back every file, whatever the chunks it came in', async () => {
    const bodies = fc.uint8Array({ maxLength: 3000 });
    const sizes = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(bodies, sizes, fc.boolean()), { maxLength: 6 }),
        async (files) => {
          const archive = await archiveOf(
            ...files.map(([body, cuts, isKnown], index) =>
              entry(`F${index}`, chunksOf(body, ...cuts), isKnown ? body.length : undefined),
            ),
          );
          expect(readZip(archive)).toEqual(
            Object.fromEntries(files.map(([body], index) => [`F${index}`, Buffer.from(body)])),
          );
        },
      ),
    );
  });

  it.each([0, 1, 65_534, 65_535, 65_536, 131_070, 131_071])(
    'gives back a file of %d bytes',
    async (length) => {
      const body = Buffer.alloc(length, 'bytes');
      const archive = await archiveOf(
        entry('A', [body], length),
        entry('B', chunksOf(body, 40_000), length),
      );
      expect(readZip(archive)).toEqual({ A: body, B: body });
    },
  );

  it('lists more files than 16 bits count', async () => {
    const body = Buffer.from('x');
    const names = Array.from({ length: 65_537 }, (_, index) => `F${index}`);
    const archive = await gathered(oneByOne(names.map((name) => entry(name, [body], 1))));
    // As one text: toEqual would take seconds.
    const list = listZip(archive).map(({ name }) => name);
    expect(list.join('\n') === names.join('\n')).toBe(true);
  });

  it('aborts when a file is not as long as it was said to be', async () => {
    await expect(archiveOf(entry('A', [Buffer.alloc(3)], 4))).rejects.toMatchObject({
      code: 'storage-corrupt',
    });
  });

  it('returns the file under way and those to come when the reader stops', async () => {
    let returned = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(Buffer.alloc(70_000));
      } finally {
        returned += 1;
      }
    }
    async function* entries(): AsyncGenerator<ZipEntry> {
      try {
        for (;;) yield await Promise.resolve({ name: 'A', modified, body: endless() });
      } finally {
        returned += 1;
      }
    }
    let chunks = 0;
    for await (const chunk of writeZip(entries())) {
      chunks += Math.sign(chunk.length);
      if (chunks > 5) break;
    }
    expect(returned).toBe(2);
  });

  // Half a minute of checksums.
  (isNightly ? it : it.skip)(
    'takes files and archives beyond 4 GiB',
    async () => {
      const gibibyte = 1024 ** 3;
      // Whole blocks would hide what is left over between pieces; much larger ones cost a copy each.
      const piece = Buffer.alloc(1024 ** 2);
      const zeros = (length: number) =>
        entry(
          '',
          Array.from({ length: length / piece.length }, () => piece),
        );
      const sizes = [4 * gibibyte, gibibyte / 32, gibibyte / 32];
      const entries = sizes.map((length, index) => ({
        ...zeros(length),
        name: `F${index}`,
        length,
      }));
      let written = 0;
      let tail = Buffer.alloc(0);
      for await (const chunk of writeZip(listed(...entries))) {
        written += chunk.length;
        tail = chunk.length < 10_000 ? Buffer.concat([tail, chunk]) : Buffer.alloc(0);
      }
      const files = listZip(tail, written - tail.length);
      expect(files.map(({ name, size }) => [name, size])).toEqual(
        sizes.map((size, index) => [`F${index}`, size]),
      );
      const [first, second, third] = files.map(({ offset }) => offset);
      expect(first).toBe(0);
      // Header, blocks, descriptor.
      const blocks = (size: number) => size + 5 * (Math.floor(size / 65_535) + 1);
      expect(second).toBe(30 + 2 + 20 + blocks(4 * gibibyte) + 24);
      expect(third).toBe(Number(second) + 30 + 2 + blocks(gibibyte / 32) + 16);
    },
    240_000,
  );
});
