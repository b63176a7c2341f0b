import { createServer, connect as connectSocket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { connectStorage } from '../../src/storage/azure/connect.js';
import type { StorageCall } from '../../src/storage/storage-call.js';
import { testConnectionString, testPrefix } from '../support/storage/azurite.js';
import { heapAfterCollection } from '../support/heap.js';
import {
  blobStoreContract,
  bodyOf,
  inChunks,
  patternBytes,
} from './contract/blob-store.contract.js';

const MiB = 1024 * 1024;

async function open(onCall: (call: StorageCall) => void = () => undefined) {
  const prefix = testPrefix();
  const storage = connectStorage({ connectionString: testConnectionString() }, { prefix, onCall });
  await storage.ensureCreated();
  return { prefix, ...storage };
}

blobStoreContract('AzureBlobStore', async () => (await open()).blobs);

describe('AzureBlobStore', () => {
  const closing: (() => void)[] = [];

  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** Passes connections on, and resets each of the first few after so many bytes of answers. */
  async function resettingProxy(resets: number, afterBytes: number): Promise<string> {
    const target = new URL(/BlobEndpoint=([^;]+)/.exec(testConnectionString())?.[1] ?? '');
    let left = resets;
    const server = createServer((client) => {
      const upstream = connectSocket(Number(target.port), target.hostname);
      const reset = left > 0;
      let passed = 0;
      client.pipe(upstream);
      upstream.on('data', (chunk: Buffer) => {
        passed += chunk.length;
        if (reset && passed > afterBytes) {
          left -= 1;
          client.resetAndDestroy();
          upstream.destroy();
        } else client.write(chunk);
      });
      upstream.on('error', () => client.destroy());
      upstream.on('close', () => client.destroy());
      client.on('error', () => upstream.destroy());
      client.on('close', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    return testConnectionString().replace(`:${target.port}/`, `:${port}/`);
  }

  it('reaches no blob of another container', async () => {
    const { prefix, blobs } = await open();
    const bytes = patternBytes(100);
    await blobs.put('instances', 'a', inChunks(bytes, 100));
    const content = await blobs.get('instances', 'a');
    content?.cancel();
    const other = `../${prefix}instances/a`;
    for (const name of [other, `partitions/x/../../${other}`]) {
      await expect(blobs.get('import', name)).rejects.toThrow(RangeError);
      await expect(blobs.put('import', name, inChunks(bytes, 10))).rejects.toThrow(RangeError);
      await expect(blobs.deleteUnchanged('import', name, content?.etag ?? '')).rejects.toThrow(
        RangeError,
      );
      await expect(blobs.delete('import', [name])).rejects.toThrow(RangeError);
      await expect(blobs.delete('import', ['b', name])).rejects.toThrow(RangeError);
    }
    const still = await blobs.get('instances', 'a');
    still?.cancel();
    expect(still?.etag).toBe(content?.etag);
  });

  it('puts a small blob in one call and a large one in blocks', async () => {
    const calls: StorageCall[] = [];
    const { blobs } = await open((call) => calls.push(call));
    calls.length = 0;
    await blobs.put('instances', 'small', inChunks(patternBytes(4 * MiB), MiB));
    expect(calls).toEqual([
      { service: 'blob', method: 'PUT', operation: 'put', target: 'instances' },
    ]);
    calls.length = 0;
    await blobs.put('instances', 'large', inChunks(patternBytes(9 * MiB), MiB));
    expect(calls.map(({ operation }) => operation)).toEqual([
      'put-block',
      'put-block',
      'put-block',
      'commit-blocks',
    ]);
  });

  it.each([
    { operation: 'put', length: 1000 },
    { operation: 'commit-blocks', length: 9 * MiB },
  ])(
    'makes the blob whole although the client leaves before the answer to $operation',
    async ({ operation, length }) => {
      const controller = new AbortController();
      const { blobs } = await open((call) => {
        if (call.operation === operation) controller.abort();
      });
      const { signal } = controller;
      const put = blobs.put('instances', 'a', inChunks(patternBytes(length), MiB), { signal });
      await expect(put).resolves.toEqual({ length });
      expect(signal.aborted).toBe(true);
      expect((await bodyOf(await blobs.get('instances', 'a'))).length).toBe(length);
    },
  );

  it('holds nothing of a download that has ended', async () => {
    const { blobs } = await open();
    await blobs.put('instances', 'a', inChunks(patternBytes(1000), 1000));
    const download = async (times: number) => {
      for (let n = 0; n < times; n += 1) {
        const { signal } = new AbortController();
        const blob = await blobs.get('instances', 'a', undefined, { signal });
        for await (const chunk of blob?.body ?? []) expect(chunk).toBeDefined();
      }
    };
    await download(100);
    const before = await heapAfterCollection();
    await download(400);
    // A signal that stays pinned takes 12 KiB a download.
    expect((await heapAfterCollection()) - before).toBeLessThan(400 * 2048);
  });

  it('holds nothing of what was sent on connections that stay open', async () => {
    const { blobs } = await open();
    await heapAfterCollection();
    const before = process.memoryUsage().arrayBuffers;
    const sent = Array.from({ length: 24 }, async (_, at) => {
      await blobs.put('instances', `sent-${at}`, inChunks(patternBytes(3 * MiB), MiB));
    });
    await Promise.all(sent);
    await heapAfterCollection();
    // Some buffers are kept for the next upload (block-buffers.ts).
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * MiB);
  });

  it('makes one call of a read, of a page of a list, of a delete of 256 blobs, and of each of a few', async () => {
    const calls: StorageCall[] = [];
    const { blobs } = await open((call) => calls.push(call));
    await blobs.put('instances', 'a', inChunks(Buffer.of(1, 2, 3), 3));
    calls.length = 0;
    (await blobs.get('instances', 'a', { offset: 1 }))?.cancel();
    await blobs.delete(
      'instances',
      Array.from({ length: 256 }, (_, index) => `x${index}`),
    );
    await blobs.delete('derived', ['x', 'y']);
    await blobs.list('derived', { prefix: 'a' });
    await blobs.check();
    expect(calls.map(({ operation, target }) => [operation, target])).toEqual([
      ['get', 'instances'],
      ['delete', 'instances'],
      ['delete', 'derived'],
      ['delete', 'derived'],
      ['list', 'derived'],
      ['check', 'instances'],
    ]);
  });

  it('clears no megabytes to read how the deletion of a few blobs went', async () => {
    const { blobs } = await open();
    const alloc = jest.spyOn(Buffer, 'alloc');
    await blobs.delete('derived', ['x', 'y']);
    const most = Math.max(0, ...alloc.mock.calls.map(([size]) => size));
    alloc.mockRestore();
    expect(most).toBeLessThan(MiB);
  });

  it('takes a download up again where its connection was reset', async () => {
    const { prefix, blobs } = await open();
    const bytes = patternBytes(9 * MiB);
    await blobs.put('instances', 'large', inChunks(bytes, MiB));
    const connectionString = await resettingProxy(2, 1 * MiB);
    const far = connectStorage({ connectionString }, { prefix });
    const content = await far.blobs.get('instances', 'large', { offset: 5 });
    const read = await bodyOf(content);
    expect(read.equals(bytes.subarray(5))).toBe(true);
  });

  it('asks for no more when the reader of a download fails', async () => {
    const calls: StorageCall[] = [];
    const { blobs } = await open((call) => calls.push(call));
    await blobs.put('instances', 'large', inChunks(patternBytes(9 * MiB), MiB));
    calls.length = 0;
    const content = await blobs.get('instances', 'large');
    const error = new Error('The client hung up');
    const read = async () => {
      for await (const chunk of content?.body ?? []) {
        expect(chunk.length).toBeGreaterThan(0);
        throw error;
      }
    };
    await expect(read()).rejects.toBe(error);
    await blobs.check();
    expect(calls.map(({ operation }) => operation)).toEqual(['get', 'check']);
  });

  it('gives a download up when connections keep breaking', async () => {
    const { prefix, blobs } = await open();
    await blobs.put('instances', 'large', inChunks(patternBytes(9 * MiB), MiB));
    const connectionString = await resettingProxy(Number.POSITIVE_INFINITY, 1 * MiB);
    const far = connectStorage({ connectionString }, { prefix });
    const content = await far.blobs.get('instances', 'large');
    await expect(bodyOf(content)).rejects.toMatchObject({ code: 'storage-unavailable' });
  });

  it('does not take a container that is not there for a blob that is not', async () => {
    const { blobs } = connectStorage(
      { connectionString: testConnectionString() },
      { prefix: testPrefix() },
    );
    await expect(blobs.get('derived', 'a')).rejects.toThrow('ContainerNotFound');
    await expect(blobs.check()).rejects.toThrow('Container instances answered 404');
  });

  it('keeps the memory of a large upload to a few blocks', async () => {
    const { blobs } = await open();
    const chunk = Buffer.alloc(MiB, 1);
    async function* body(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 160; sent += 1) yield await Promise.resolve(chunk);
    }
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 5);
    const stored = await blobs.put('instances', 'large', body());
    clearInterval(timer);
    expect(stored.length).toBe(160 * MiB);
    expect(most).toBeLessThan(64 * MiB);
    await blobs.delete('instances', ['large']);
  });
});
