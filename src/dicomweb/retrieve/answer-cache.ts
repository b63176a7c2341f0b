/**
 * Answers that take work to make and seldom change, kept compressed within a process. A key names the
 * version of what the answer is made of, so nothing kept is ever stale: whoever asks has looked the
 * version up first.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { BoundedCache } from '../../bounded-cache.js';
import { gzipChunks, gzipLevel } from '../../http/content-encoding.js';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Of one answer before compression; a longer one is made anew each time. */
const longestAnswerBytes = 4 * 1024 ** 2;
/** Of all answers, compressed. */
const mostBytes = 16 * 1024 ** 2;

export class AnswerCache {
  readonly #answers = new BoundedCache<Buffer>(mostBytes);

  /** Compresses an answer and keeps it, in place of those asked for longest ago. */
  async keep(key: string, answer: Uint8Array): Promise<void> {
    // As answers are that are not kept: they share an entity tag, hence their bytes.
    this.keepCompressed(key, await compress(answer, { level: gzipLevel }));
  }

  /** Keeps the gzip of an answer. */
  keepCompressed(key: string, compressed: Buffer): void {
    this.#answers.set(key, compressed, compressed.length);
  }

  /** The gzip of a kept answer. */
  compressed(key: string): Buffer | undefined {
    return this.#answers.get(key);
  }
}

/** The bytes of an answer that was kept. */
export async function inflateAnswer(compressed: Buffer): Promise<Buffer> {
  return await decompress(compressed);
}

/** Chunks that have passed. */
class Passed {
  length = 0;
  chunks: Uint8Array[] = [];

  /** @param most bytes to hold; more of them are counted, and none is held any longer. */
  async *from(
    chunks: AsyncIterable<Uint8Array>,
    most: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      this.length += chunk.length;
      if (this.length <= most) this.chunks.push(chunk);
      else this.chunks = [];
      yield chunk;
    }
  }
}

/** Passes an answer on, and keeps it when it comes to its end within the length that is kept. */
export async function* keptAnswer(
  cache: AnswerCache,
  key: string,
  answer: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const passed = new Passed();
  yield* passed.from(answer, longestAnswerBytes);
  if (passed.length <= longestAnswerBytes) await cache.keep(key, Buffer.concat(passed.chunks));
}

/** The gzip of an answer, made once: passed on, and kept when it comes to its end within that length. */
export async function* keptGzip(
  cache: AnswerCache,
  key: string,
  answer: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const plain = new Passed();
  const compressed = new Passed();
  yield* compressed.from(gzipChunks(plain.from(answer, 0)), longestAnswerBytes);
  if (Math.max(plain.length, compressed.length) <= longestAnswerBytes) {
    cache.keepCompressed(key, Buffer.concat(compressed.chunks));
  }
}
