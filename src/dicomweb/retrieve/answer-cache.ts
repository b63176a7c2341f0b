/**
 * Answers that take work to make and seldom change, kept compressed within a process. A key names the
 * version of what the answer is made of, so nothing kept is ever stale: whoever asks has looked the
 * version up first.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { BoundedCache } from '../../bounded-cache.js';
import { gzipLevel } from '../../http/content-encoding.js';

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
    const compressed = await compress(answer, { level: gzipLevel });
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

/** Passes an answer on, and keeps it when it comes to its end within the length that is kept. */
export async function* keptAnswer(
  cache: AnswerCache,
  key: string,
  answer: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of answer) {
    length += chunk.length;
    if (length <= longestAnswerBytes) chunks.push(chunk);
    else chunks = [];
    yield chunk;
  }
  if (length <= longestAnswerBytes) await cache.keep(key, Buffer.concat(chunks));
}
