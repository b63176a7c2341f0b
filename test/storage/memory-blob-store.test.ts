import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import type { StorageCall } from '../../src/storage/storage-call.js';
import { blobStoreContract, inChunks } from './contract/blob-store.contract.js';

blobStoreContract('MemoryBlobStore', () => Promise.resolve(new MemoryBlobStore()));

describe('MemoryBlobStore', () => {
  it('lists what is left in a container', async () => {
    const store = new MemoryBlobStore();
    for (const name of ['b', 'a', 'c']) await store.put('derived', name, inChunks(Buffer.of(1), 1));
    await store.put('instances', 'other', inChunks(Buffer.of(1), 1));
    await store.delete('derived', ['c']);
    expect(store.names('derived')).toEqual(['a', 'b']);
  });

  it('tells of each call, and fails those that are made to fail', async () => {
    const calls: StorageCall[] = [];
    const store = new MemoryBlobStore({
      onCall: (call) => calls.push(call),
      beforeCall: ({ operation }) =>
        operation === 'put' ? Promise.reject(new Error('lost')) : Promise.resolve(),
    });
    await expect(store.put('instances', 'a', inChunks(Buffer.of(1), 1))).rejects.toThrow('lost');
    expect(await store.get('instances', 'a')).toBeUndefined();
    await store.list('instances');
    await store.delete('derived', ['a', 'b']);
    expect(calls.map(({ service, operation, target }) => [service, operation, target])).toEqual([
      ['blob', 'put', 'instances'],
      ['blob', 'get', 'instances'],
      ['blob', 'list', 'instances'],
      ['blob', 'delete', 'derived'],
    ]);
  });
});
