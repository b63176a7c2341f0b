import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { heapAfterCollection } from '../../support/heap.js';
import { receiveBody, type UploadOptions } from '../../../src/host/node/upload.js';
import { collect } from '../../support/byte-streams.js';

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
  return { taken, upload: receiveBody(chunks(), close, { discardBytes: 64 * 1024 ** 2 }) };
}

/** A client that sends when it is told to. */
function silentSource(options: Partial<UploadOptions>) {
  const taken = { asked: 0, closed: false };
  let send: (chunk: Uint8Array) => void = () => undefined;
  const chunks: AsyncIterator<Uint8Array, undefined> = {
    next: async () => {
      taken.asked += 1;
      return await new Promise((resolve) => {
        send = (value) => {
          resolve({ done: false, value });
        };
      });
    },
  };
  const close = () => {
    taken.closed = true;
  };
  const upload = receiveBody(chunks, close, { discardBytes: 64 * 1024 ** 2, ...options });
  return {
    taken,
    upload,
    send: (chunk: Uint8Array) => {
      send(chunk);
    },
  };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
}

afterEach(() => {
  jest.useRealTimers();
});

describe('receiveBody', () => {
  it('takes nothing before it is asked', async () => {
    const { taken, upload } = source(3);
    await settle();
    expect(taken.chunks).toBe(0);
    expect((await collect(upload.body)).byteLength).toBe(3 * 1024 ** 2);
  });

  it('discards what is left when the reader gives up', async () => {
    const { taken, upload } = source(10);
    await upload.body.next();
    await upload.body.return?.();
    await settle();
    expect(taken).toEqual({ chunks: 10, closed: false });
  });

  it('holds nothing of what it throws away', async () => {
    const refs: WeakRef<Uint8Array>[] = [];
    let finish: () => void = () => undefined;
    const isOver = new Promise<void>((resolve) => {
      finish = resolve;
    });
    async function* chunks(): AsyncGenerator<Uint8Array, undefined> {
      while (refs.length < 300) {
        const chunk = new Uint8Array(1024 ** 2);
        refs.push(new WeakRef(chunk));
        yield await Promise.resolve(chunk);
      }
      finish();
      // Under way still.
      await new Promise(() => undefined);
      return undefined;
    }
    const upload = receiveBody(chunks(), () => undefined, { discardBytes: 1024 ** 3 });
    upload.discard();
    await isOver;
    await heapAfterCollection();
    const held = refs.filter((ref) => ref.deref() !== undefined);
    expect(held.length).toBeLessThanOrEqual(2);
  });

  it('closes a source that has more left than is worth reading, a moment later', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    const { taken, upload } = source(1000);
    upload.discard();
    upload.discard();
    await settle();
    expect(taken).toEqual({ chunks: 79, closed: false });
    jest.advanceTimersByTime(1000);
    expect(taken.closed).toBe(true);
  });

  it('fails when nothing comes, and what comes later is thrown away', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    const { upload, send, taken } = silentSource({ stallMilliseconds: 50 });
    const reading = upload.body.next();
    await settle();
    jest.advanceTimersByTime(50);
    await expect(reading).rejects.toMatchObject({ code: 'request-timeout' });
    upload.discard();
    send(new Uint8Array(1));
    await settle();
    expect(taken.asked).toBe(2);
  });

  it('has time for a client that sends slowly, but steadily', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    const { upload, send } = silentSource({ stallMilliseconds: 50 });
    const { body } = upload;
    for (let turn = 0; turn < 10; turn += 1) {
      const reading = body.next();
      await settle();
      jest.advanceTimersByTime(40);
      send(Uint8Array.of(turn));
      expect(await reading).toEqual({ done: false, value: Uint8Array.of(turn) });
    }
  });

  it('closes a source that trickles after its answer', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    const { upload, send, taken } = silentSource({ discardStallMilliseconds: 50 });
    upload.discard();
    send(new Uint8Array(64 * 1024));
    await settle();
    jest.advanceTimersByTime(50);
    expect(taken.closed).toBe(false);
    send(new Uint8Array(10));
    await settle();
    jest.advanceTimersByTime(50);
    expect(taken.closed).toBe(true);
  });

  it('closes a source after all its time, however fast it sends', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    const { upload, send, taken } = silentSource({
      totalMilliseconds: 0,
      discardStallMilliseconds: 50,
    });
    upload.discard();
    send(new Uint8Array(1024 ** 2));
    await settle();
    jest.advanceTimersByTime(50);
    expect(taken.closed).toBe(true);
  });
});
