import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { StreamChunks } from '../../src/storage/stream-chunks.js';

const pieces = (...sizes: readonly number[]) =>
  Readable.from(
    sizes.map((size, n) => Buffer.alloc(size, n + 1)),
    { objectMode: false },
  );

async function lengthsOf(chunks: StreamChunks): Promise<readonly number[]> {
  const lengths: number[] = [];
  for (let chunk = await chunks.next(); chunk !== undefined; chunk = await chunks.next()) {
    lengths.push(chunk.length);
  }
  return lengths;
}

describe('StreamChunks', () => {
  it('puts pieces together until there is enough, and ends with what is left', async () => {
    const KiB = 1024;
    const chunks = new StreamChunks(pieces(20 * KiB, 20 * KiB, 64 * KiB, 1 * KiB));
    const lengths = await lengthsOf(chunks);
    expect(lengths.reduce((sum, one) => sum + one, 0)).toBe(105 * KiB);
    expect(lengths.slice(0, -1).every((length) => length >= 32 * KiB)).toBe(true);
    expect(await chunks.next()).toBeUndefined();
  });

  it('hands out each piece by itself where every one counts', async () => {
    const stream = new PassThrough();
    const chunks = new StreamChunks(stream, 1);
    for (const text of ['a', 'bc']) {
      const next = chunks.next();
      stream.write(text);
      expect(String(await next)).toBe(text);
    }
    const last = chunks.next();
    stream.end();
    expect(await last).toBeUndefined();
  });

  it.each([
    ['what the stream failed with', new Error('broken'), 'broken'],
    ['that it was closed before its end', undefined, 'A stream was closed before its end'],
  ])('tells %s, to who waits and to who asks later', async (_, error, message) => {
    const stream = new PassThrough();
    const chunks = new StreamChunks(stream);
    const waiting = chunks.next();
    stream.destroy(error);
    await expect(waiting).rejects.toThrow(message);
    await expect(chunks.next()).rejects.toThrow(message);
  });

  it('hands out what came before a failure first', async () => {
    const stream = new PassThrough();
    const chunks = new StreamChunks(stream, 10);
    const waiting = chunks.next();
    stream.write('before');
    // When it has been read.
    await new Promise((resolve) => stream.once('readable', resolve));
    stream.destroy(new Error('broken'));
    expect(String(await waiting)).toBe('before');
    await expect(chunks.next()).rejects.toThrow('broken');
  });
});
