import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createUpload } from '../../src/host/upload.js';

/** Chunks of one MiB, and how many have been taken. */
function source(count: number) {
  const taken = { chunks: 0, closed: false };
  async function* chunks(): AsyncGenerator<Uint8Array, undefined> {
    for (; taken.chunks < count; taken.chunks += 1) {
      yield await Promise.resolve(new Uint8Array(1024 ** 2));
    }
    return undefined;
  }
  const close = () => {
    taken.closed = true;
  };
  return { taken, upload: createUpload(chunks(), close) };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
}

afterEach(() => {
  jest.useRealTimers();
});

describe('createUpload', () => {
  it('takes nothing before it is asked', async () => {
    const { taken, upload } = source(3);
    await settle();
    expect(taken.chunks).toBe(0);
    expect((await new Response(upload.body).arrayBuffer()).byteLength).toBe(3 * 1024 ** 2);
  });

  it('discards what is left when the reader gives up', async () => {
    const { taken, upload } = source(10);
    const reader = upload.body.getReader();
    await reader.read();
    await reader.cancel();
    await settle();
    expect(taken).toEqual({ chunks: 10, closed: false });
  });

  it('closes a source that has more left than is worth reading', async () => {
    const { taken, upload } = source(1000);
    await upload.body.getReader().read();
    upload.discard();
    upload.discard();
    await settle();
    expect(taken.closed).toBe(true);
    expect(taken.chunks).toBeLessThan(100);
  });

  it('reads little of a body that nobody asked for, and closes it a moment later', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    const { taken, upload } = source(1000);
    upload.discard();
    await settle();
    expect(taken).toEqual({ chunks: 15, closed: false });
    jest.advanceTimersByTime(1000);
    expect(taken.closed).toBe(true);
  });
});
