/** What every blob store does; run for the memory store and for Azure's on Azurite. */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { BlobContent, BlobStore, ListedBlob } from '../../../src/storage/blob-store.js';
import { allBytes } from '../../../src/storage/body.js';
import { hostileNames } from './hostile-names.js';

const MiB = 1024 * 1024;

/** Bytes that differ everywhere, the same on every run. */
export function patternBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let offset = 0; offset + 4 <= length; offset += 4) {
    bytes.writeUInt32LE(Math.imul(offset + 1, 2654435761) >>> 0, offset);
  }
  return bytes;
}

/** Yields the bytes in chunks, all in one buffer that is used again, as a network reader may. */
export async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const shared = new Uint8Array(size);
  for (let offset = 0; offset < bytes.length; offset += size) {
    const part = bytes.subarray(offset, offset + size);
    shared.set(part);
    yield shared.subarray(0, part.length);
    await Promise.resolve();
    shared.fill(0xee);
  }
}

async function* failAfter(bytes: Uint8Array, error: unknown): AsyncGenerator<Uint8Array> {
  yield* inChunks(bytes, 100_000);
  throw error;
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** All bytes of a blob. */
export async function bodyOf(content: BlobContent | undefined): Promise<Buffer> {
  if (content === undefined) throw new Error('There is no such blob');
  return await allBytes(content.body);
}

async function read(
  store: BlobStore,
  ...[container, name, range]: Parameters<BlobStore['get']>
): Promise<Buffer | undefined> {
  const content = await store.get(container, name, range);
  if (content === undefined) return undefined;
  const bytes = await bodyOf(content);
  expect(content.length).toBe(bytes.length);
  return bytes;
}

/**
 * Describes a blob store. Every test has names of its own, so stores may be shared.
 *
 * @param open a store whose containers exist.
 */
export function blobStoreContract(name: string, open: () => Promise<BlobStore>): void {
  describe(`${name} as BlobStore`, () => {
    let store: BlobStore;
    const blob = () => `ab1/partition/1.2.3/${randomBytes(6).toString('hex')}.dcm`;

    beforeAll(async () => {
      store = await open();
    });

    it.each([0, 1, 100_000, 4 * MiB, 4 * MiB + 1, 9 * MiB, 17 * MiB + 3])(
      'gives back the %d bytes that were put',
      async (length) => {
        const at = blob();
        const bytes = patternBytes(length);
        expect(await store.put('instances', at, inChunks(bytes, 300_007))).toEqual({ length });
        const stored = await read(store, 'instances', at);
        expect(stored?.length).toBe(length);
        expect(digest(stored ?? Buffer.of(1))).toBe(digest(bytes));
        expect(await store.get('derived', at)).toBeUndefined();
      },
    );

    it('puts large blobs at the same time', async () => {
      const blobs = Array.from({ length: 4 }, (_, index) => ({
        at: blob(),
        bytes: Buffer.alloc(9 * MiB + index, index + 1),
      }));
      await Promise.all(
        blobs.map(({ at, bytes }) => store.put('instances', at, inChunks(bytes, 1 * MiB))),
      );
      for (const { at, bytes } of blobs) {
        const stored = await read(store, 'instances', at);
        expect(digest(stored ?? Buffer.of(0))).toBe(digest(bytes));
      }
    });

    it('is undefined for a blob that is not there', async () => {
      expect(await store.get('instances', blob())).toBeUndefined();
      expect(await store.get('instances', blob(), { offset: 10, length: 10 })).toBeUndefined();
    });

    it.each([
      [{ offset: 0 }, 0, 1000],
      [{ offset: 1 }, 1, 1000],
      [{ offset: 0, length: 1 }, 0, 1],
      [{ offset: 500, length: 100 }, 500, 600],
      [{ offset: 999 }, 999, 1000],
      [{ offset: 990, length: 100 }, 990, 1000],
    ])('reads the range %j', async (range, from, to) => {
      const at = blob();
      const bytes = patternBytes(1000);
      await store.put('instances', at, inChunks(bytes, 1000));
      const part = await read(store, 'instances', at, range);
      expect(part?.toString('hex')).toBe(bytes.subarray(from, to).toString('hex'));
    });

    it('calls a range that begins past the end a corruption', async () => {
      const at = blob();
      await store.put('instances', at, inChunks(patternBytes(10), 10));
      await expect(store.get('instances', at, { offset: 10 })).rejects.toMatchObject({
        name: 'ServiceError',
        code: 'storage-corrupt',
      });
    });

    it.each([{ offset: -1 }, { offset: 0.5 }, { offset: 0, length: 0 }])(
      'refuses the range %j',
      async (range) => {
        await expect(store.get('instances', blob(), range)).rejects.toThrow(RangeError);
      },
    );

    it.each([100_000, 9 * MiB])(
      'stores nothing when the body fails after %d bytes',
      async (length) => {
        const at = blob();
        const error = new Error('The sender vanished');
        const put = store.put('instances', at, failAfter(patternBytes(length), error));
        await expect(put).rejects.toBe(error);
        expect(await store.get('instances', at)).toBeUndefined();
      },
    );

    it.each([100_000, 9 * MiB])(
      'stops at a signal after %d bytes, and stores nothing',
      async (length) => {
        const at = blob();
        const controller = new AbortController();
        let ended = false;
        async function* stalls(): AsyncGenerator<Uint8Array> {
          try {
            yield* inChunks(patternBytes(length), 100_000);
            setImmediate(() => controller.abort());
            // Never goes on by itself.
            await new Promise((resolve) => controller.signal.addEventListener('abort', resolve));
          } finally {
            ended = true;
          }
        }
        const put = store.put('instances', at, stalls(), { signal: controller.signal });
        await expect(put).rejects.toMatchObject({ code: 'client-aborted' });
        expect(await store.get('instances', at)).toBeUndefined();
        expect(ended).toBe(true);
      },
    );

    it('stops at a signal although the body stays silent', async () => {
      const controller = new AbortController();
      const silent: AsyncIterable<Uint8Array> = {
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
      };
      const put = store.put('instances', blob(), silent, { signal: controller.signal });
      controller.abort();
      await expect(put).rejects.toMatchObject({ code: 'client-aborted' });
    });

    it('does nothing when the signal has fired before', async () => {
      const signal = AbortSignal.abort();
      const aborted = { name: 'ServiceError', code: 'client-aborted' };
      const at = blob();
      const put = store.put('instances', at, inChunks(Buffer.of(1), 1), { signal });
      await expect(put).rejects.toMatchObject(aborted);
      await expect(store.get('instances', at, undefined, { signal })).rejects.toMatchObject(
        aborted,
      );
      await expect(store.list('instances', { signal })).rejects.toMatchObject(aborted);
      await expect(store.check(signal)).rejects.toMatchObject(aborted);
      expect(await store.get('instances', at)).toBeUndefined();
    });

    it('ends a download at a signal', async () => {
      const at = blob();
      await store.put('instances', at, inChunks(patternBytes(9 * MiB), MiB));
      const controller = new AbortController();
      const { signal } = controller;
      const content = await store.get('instances', at, undefined, { signal });
      const consume = async () => {
        for await (const chunk of content?.body ?? []) {
          expect(chunk.length).toBeGreaterThan(0);
          controller.abort();
        }
      };
      await expect(consume()).rejects.toMatchObject({ code: 'client-aborted' });
    });

    it('lets a download be left unread', async () => {
      const at = blob();
      await store.put('instances', at, inChunks(patternBytes(9 * MiB), MiB));
      for (let time = 0; time < 20; time += 1) {
        const content = await store.get('instances', at);
        content?.cancel();
      }
      expect((await read(store, 'instances', at, { offset: 0, length: 4 }))?.length).toBe(4);
    });

    it.each([1, 2, 300])('deletes %d blobs, and passes over those not there', async (count) => {
      const names = Array.from({ length: count }, blob);
      const kept = blob();
      const put = (at: string) => store.put('derived', at, inChunks(Buffer.of(1), 1));
      await Promise.all([...names, kept].filter((_, index) => index % 3 === 0).map(put));
      await put(kept);
      await store.delete('derived', names);
      const left = await Promise.all(names.map((at) => store.get('derived', at)));
      expect(left.filter((content) => content !== undefined)).toEqual([]);
      expect((await read(store, 'derived', kept))?.length).toBe(1);
      await store.delete('derived', names);
    });

    describe('list', () => {
      async function listAll(prefix: string, limit?: number) {
        const blobs: ListedBlob[] = [];
        let continuation: string | undefined;
        let largest = 0;
        do {
          const page = await store.list('derived', {
            prefix,
            ...(limit !== undefined && { limit }),
            ...(continuation !== undefined && { continuation }),
          });
          largest = Math.max(largest, page.blobs.length);
          blobs.push(...page.blobs);
          continuation = page.continuation;
        } while (continuation !== undefined);
        return { blobs, largest };
      }

      it.each([undefined, 2, 1])('names the blobs below a prefix, pages of %s', async (limit) => {
        const prefix = `list/${randomBytes(6).toString('hex')}/`;
        const ends = ['1.2/b', '1.2.3/a', '1.20/a', '1.2/a', '1.2/a.json', 'é/20%+'];
        for (const [index, end] of ends.entries()) {
          const body = inChunks(patternBytes(index), 100);
          await store.put('derived', prefix + end, body);
        }
        await store.put('derived', `${prefix.slice(0, -1)}0`, inChunks(Buffer.of(1), 1));
        await store.put('instances', `${prefix}other`, inChunks(Buffer.of(1), 1));
        const { blobs, largest } = await listAll(prefix, limit);
        const expected = ends.map((end, length) => ({ name: prefix + end, length }));
        expect(blobs).toEqual(expected.sort((a, b) => (a.name < b.name ? -1 : 1)));
        expect(largest).toBeLessThanOrEqual(limit ?? 5000);
      });

      it('names everything without a prefix, and nothing that was deleted', async () => {
        const [kept, gone] = [blob(), blob()];
        for (const at of [kept, gone]) await store.put('derived', at, inChunks(Buffer.of(1), 1));
        await store.delete('derived', [gone]);
        const names = (await listAll('')).blobs.map(({ name: at }) => at);
        expect(names).toContain(kept);
        expect(names).not.toContain(gone);
      });

      it('is empty where nothing begins with the prefix', async () => {
        expect(await store.list('derived', { prefix: `none/${blob()}` })).toEqual({ blobs: [] });
      });

      it.each([0, 5001, 1.5])('refuses a page of %d blobs', async (limit) => {
        await expect(store.list('derived', { limit })).rejects.toThrow(RangeError);
      });
    });

    it('deletes a blob that has not been written since it was read, and no other', async () => {
      const at = blob();
      const etagOf = async () => {
        const content = await store.get('derived', at);
        content?.cancel();
        return content?.etag ?? 'none';
      };
      await store.put('derived', at, inChunks(patternBytes(10), 10));
      const first = await etagOf();
      expect(await etagOf()).toBe(first);
      await store.put('derived', at, inChunks(patternBytes(10), 10));
      const second = await etagOf();
      expect(second).not.toBe(first);

      await store.deleteUnchanged('derived', at, first);
      expect(await read(store, 'derived', at)).toHaveLength(10);
      await store.deleteUnchanged('derived', at, second);
      expect(await store.get('derived', at)).toBeUndefined();
      await store.deleteUnchanged('derived', at, second);
    });

    it('deletes nothing when there is nothing to delete', async () => {
      await expect(store.delete('derived', [])).resolves.toBeUndefined();
    });

    it('takes names of all letters that a path may hold', async () => {
      const names = [`${blob()} é'%20+山`, `${blob()}&=?#`];
      for (const at of names) await store.put('derived', at, inChunks(Buffer.of(7), 1));
      for (const at of names) expect(await read(store, 'derived', at)).toEqual(Buffer.of(7));
      await store.delete('derived', names);
      for (const at of names) expect(await store.get('derived', at)).toBeUndefined();
    });

    it.each(hostileNames)('has no blob %j, in no call', async (at) => {
      await expect(store.put('import', at, inChunks(Buffer.of(1), 1))).rejects.toThrow(RangeError);
      await expect(store.get('import', at)).rejects.toThrow(RangeError);
      await expect(store.delete('import', [at])).rejects.toThrow(RangeError);
      await expect(store.delete('import', [blob(), at])).rejects.toThrow(RangeError);
      await expect(store.deleteUnchanged('import', at, '"1"')).rejects.toThrow(RangeError);
    });

    it('answers the health check', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
