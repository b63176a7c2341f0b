import { describe, expect, it } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { untilAborted } from '../../src/storage/body.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('untilAborted', () => {
  it('lets go of every chunk that has been taken, however long the body', async () => {
    const made: WeakRef<Uint8Array>[] = [];
    let rest = 0;
    async function* body() {
      for (let count = 0; count < 100; count += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        if (count === 90) {
          collectGarbage();
          rest = made.filter((chunk) => chunk.deref() !== undefined).length;
        }
        const chunk = new Uint8Array(1000);
        made.push(new WeakRef(chunk));
        yield chunk;
      }
    }
    let bytes = 0;
    for await (const chunk of untilAborted(body(), new AbortController().signal)) {
      bytes += chunk.length;
    }
    expect(bytes).toBe(100_000);
    expect(rest).toBeLessThan(10);
  });

  it('ends when the signal fires between two chunks', async () => {
    const controller = new AbortController();
    let ended = false;
    async function* body() {
      try {
        await Promise.resolve();
        for (;;) yield Buffer.from('chunk');
      } finally {
        ended = true;
      }
    }
    const chunks = untilAborted(body(), controller.signal);
    await chunks.next();
    controller.abort();
    await expect(chunks.next()).rejects.toMatchObject({ code: 'client-aborted' });
    expect(ended).toBe(true);
  });
});
