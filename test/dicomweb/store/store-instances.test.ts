import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { defaultLimits } from '../../../src/dicomweb/limits.js';
import { createServices } from '../../../src/dicomweb/services.js';
import { storeInstances } from '../../../src/dicomweb/store/store-instances.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { StorageCall } from '../../../src/storage/storage-call.js';
import { sampleInstance } from '../../support/part10-builder.js';
import { contextOf } from '../../support/request-context.js';

describe('storeInstances', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each<[string, StorageCall['service']]>([
    ['the file', 'blob'],
    ['the commit', 'table'],
  ])('is answered as failed when storage falls silent over %s', async (_what, silent) => {
    let fellSilent = (): void => undefined;
    const silence = new Promise<void>((resolve) => (fellSilent = resolve));
    const beforeCall = async ({ service }: StorageCall): Promise<void> => {
      if (service !== silent) return;
      fellSilent();
      await new Promise(() => undefined);
    };
    const stores = {
      tables: new MemoryTableStore({ beforeCall }),
      blobs: new MemoryBlobStore({ beforeCall }),
    };
    const request = new Request('http://archive.example/studies', {
      method: 'POST',
      headers: { 'Content-Type': 'application/dicom' },
    });
    const services = createServices(stores, { limits: defaultLimits, partitions: false });
    const answer = storeInstances(contextOf(request, { services, body: sampleInstance() }));
    const refused = { isSeen: false };
    const seen = expect(answer)
      .rejects.toMatchObject({ code: 'storage-unavailable' })
      .finally(() => (refused.isSeen = true));
    await silence;
    // Compression takes its time in threads, which no clock of a test drives.
    while (!refused.isSeen) {
      await new Promise(setImmediate);
      await jest.advanceTimersByTimeAsync(100);
    }
    await seen;
  });
});
