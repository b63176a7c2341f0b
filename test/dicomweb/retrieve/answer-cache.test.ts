/** Answers that are kept: what comes back, what is let go, what is never kept. */
import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  AnswerCache,
  inflateAnswer,
  keptAnswer,
  keptGzip,
} from '../../../src/dicomweb/retrieve/answer-cache.js';
import { listed } from '../../../src/dicomweb/read-ahead.js';

const MiB = 1024 ** 2;

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

describe('keptAnswer', () => {
  it('passes an answer on and keeps it', async () => {
    const cache = new AnswerCache();
    const chunks = listed<Uint8Array>(Buffer.from('[{"a":1}'), Buffer.from(',{}]'));
    await expect(drained(keptAnswer(cache, 'key', chunks))).resolves.toEqual(
      Buffer.from('[{"a":1},{}]'),
    );
    const kept = cache.compressed('key') ?? Buffer.alloc(0);
    expect(gunzipSync(kept).toString()).toBe('[{"a":1},{}]');
    expect((await inflateAnswer(kept)).toString()).toBe('[{"a":1},{}]');
    expect(cache.compressed('another key')).toBeUndefined();
  });

  it('keeps nothing of an answer that is not read to its end', async () => {
    const cache = new AnswerCache();
    const chunks = keptAnswer(cache, 'key', listed(Buffer.from('a'), Buffer.from('b')));
    await chunks.next();
    await chunks.return();
    expect(cache.compressed('key')).toBeUndefined();
  });

  it('keeps nothing of an answer that fails', async () => {
    const cache = new AnswerCache();
    async function* failing() {
      yield await Promise.resolve(Buffer.from('a'));
      throw new Error('storage has gone');
    }
    await expect(drained(keptAnswer(cache, 'key', failing()))).rejects.toThrow('storage has gone');
    expect(cache.compressed('key')).toBeUndefined();
  });

  it('passes a long answer on without keeping it', async () => {
    const cache = new AnswerCache();
    const chunk = Buffer.alloc(MiB);
    const chunks = listed(chunk, chunk, chunk, chunk, chunk);
    await expect(drained(keptAnswer(cache, 'key', chunks))).resolves.toHaveLength(5 * MiB);
    expect(cache.compressed('key')).toBeUndefined();
  });
});

describe('keptGzip', () => {
  it('compresses an answer once: what is sent is what is kept', async () => {
    const cache = new AnswerCache();
    const chunks = listed<Uint8Array>(Buffer.from('[{"a":1}'), Buffer.from(',{}]'));
    const sent = await drained(keptGzip(cache, 'key', chunks));
    expect(gunzipSync(sent).toString()).toBe('[{"a":1},{}]');
    expect(cache.compressed('key')).toEqual(sent);
  });

  it('sends the bytes that an answer kept before its compression would have', async () => {
    const cache = new AnswerCache();
    const pieces = Array.from({ length: 40 }, (_, n) =>
      Buffer.from(JSON.stringify({ n }).repeat(999)),
    );
    await drained(keptAnswer(cache, 'whole', listed(Buffer.concat(pieces))));
    const sent = await drained(keptGzip(cache, 'pieces', listed(...pieces)));
    expect(cache.compressed('whole')).toEqual(sent);
  });

  it.each([
    ['is long', Buffer.alloc(MiB)],
    ['does not shrink', randomBytes(0.8 * MiB)],
  ])('keeps nothing of what %s', async (_, chunk) => {
    const cache = new AnswerCache();
    await drained(keptGzip(cache, 'key', listed(chunk, chunk, chunk, chunk, chunk)));
    expect(cache.compressed('key')).toBeUndefined();
  });
});

describe('AnswerCache', () => {
  it('lets go of what was asked for longest ago when there is too much', async () => {
    const cache = new AnswerCache();
    // Noise does not shrink: four of these fit into 16 MiB with some to spare.
    const answer = randomBytes(3.9 * MiB);
    for (const key of ['a', 'b', 'c', 'd']) await cache.keep(key, answer);
    expect(cache.compressed('a')).toBeDefined();
    await cache.keep('e', answer);
    expect(['a', 'b', 'c', 'd', 'e'].filter((key) => cache.compressed(key) !== undefined)).toEqual([
      'a',
      'c',
      'd',
      'e',
    ]);
  });
});
